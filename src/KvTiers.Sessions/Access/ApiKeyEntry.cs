namespace KvTiers.Sessions.Access;

/// <summary>One API key in an <see cref="AccessFile"/>: its digest, and what it opens. The key itself is nowhere.</summary>
public sealed record ApiKeyEntry
{
    /// <summary>Names the key for people: 1 to 64 of the characters A–Z a–z 0–9 . _ -; no two have the same.</summary>
    public required string Id { get; init; }

    /// <summary>Whose key it is; <see cref="AccessFile.Administrator"/> for one that opens the operator's routes and no conversation.</summary>
    public required string Tenant { get; init; }

    /// <summary>SHA-256 of the key's UTF-8 bytes, 64 hexadecimal characters. A plain digest is enough, as a key is 32 random bytes: there is nothing to guess.</summary>
    public required string Sha256 { get; init; }

    /// <summary>When it was made; null = unknown.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>From when on it opens nothing; null = never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Requests a second with this key, within what the tenant may send; from 0.001 to 1,000,000; null = no limit of its own.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>Answers computed or waiting at one time for requests with this key, from 1; null = no limit of its own.</summary>
    public int? ConcurrentTurns { get; init; }
}
