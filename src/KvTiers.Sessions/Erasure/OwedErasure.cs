using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Erasure;

/// <summary>An erasure that is not whole yet.</summary>
/// <param name="Tombstone">What is to be erased.</param>
/// <param name="Kept">Of each path, leading blocks that stay in any case.</param>
internal sealed record OwedErasure(Tombstone Tombstone, IReadOnlyList<int> Kept)
{
    /// <summary>What its attempts have come to.</summary>
    public ErasureTally Tally { get; init; } = new();

    /// <summary>Whether the tombstone is on the store. Paths that a living conversation gave up are in memory only.</summary>
    public bool IsRecorded { get; init; }

    /// <summary>Whether the conversation's record is known to be gone.</summary>
    public bool IsRecordGone { get; set; }

    /// <summary>When it is to be tried next.</summary>
    public DateTimeOffset DueAt { get; set; }
}
