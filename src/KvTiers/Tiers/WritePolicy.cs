namespace KvTiers.Tiers;

/// <summary>When a block is copied to a tier.</summary>
public enum WritePolicy
{
    /// <summary>When the tier above evicts it: the cheapest, and what is still hot at a crash is not there.</summary>
    OnDemote,

    /// <summary>When it is found again for the first time: what nobody comes back to costs no write. Told anew at a later use when the queue is full.</summary>
    OnSecondUse,

    /// <summary>As soon as it is sealed: other processes find it at once, and it survives a crash.</summary>
    OnSeal,
}
