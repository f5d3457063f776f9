namespace KvTiers.Keys;

/// <summary>What is done to records that leave the process, so that only those who have a key can write one that is read.</summary>
/// <param name="Keys">The keys.</param>
public sealed record RecordProtection(KeyRing Keys)
{
    /// <summary>Whether contents are encrypted too. Both kinds are read, whichever is written. Default false.</summary>
    public bool Encrypts { get; init; }
}
