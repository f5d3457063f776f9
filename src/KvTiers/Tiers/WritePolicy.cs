namespace KvTiers.Tiers;

/// <summary>When a block is copied to a tier.</summary>
public enum WritePolicy
{
    /// <summary>When the tier above evicts it. This is the cheapest; a crash loses what is still hot.</summary>
    OnDemote,

    /// <summary>When it is found again for the first time, so that what nobody comes back to costs no write. When the queue is full, a later use tries again.</summary>
    OnSecondUse,

    /// <summary>As soon as it is sealed. Other processes find it at once, and it survives a crash.</summary>
    OnSeal,
}
