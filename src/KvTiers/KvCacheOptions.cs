using KvTiers.Blocks;

namespace KvTiers;

/// <summary>How large the hot tier is.</summary>
public sealed record KvCacheOptions
{
    /// <summary>Memory for hot blocks, in bytes, at least one block. Does not count when <see cref="HotBlocks"/> is set.</summary>
    public long HotBytes { get; init; } = 512L << 20;

    /// <summary>Hot blocks, at least 1; null to go by <see cref="HotBytes"/>.</summary>
    public int? HotBlocks { get; init; }

    /// <summary>Whether the memory is made resident in the background from the start, so that no request pays for first touch; else once <see cref="KvCache.StartPrefault"/> says so.</summary>
    public bool Prefault { get; init; } = true;

    /// <summary>How long a call that needs room may be held up, in all, by the tiers that want what is evicted for it. From 0, for not at all. Default 20 ms.</summary>
    public TimeSpan EvictionPatience { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The hot tier's size in blocks of a shape.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule.</exception>
    internal int CapacityFor(BlockShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (HotBlocks is { } blocks)
            return blocks >= 1 ? blocks : throw new ArgumentException($"{nameof(HotBlocks)} is {blocks}; it must be at least 1.");
        if (HotBytes < shape.BytesPerBlock)
            throw new ArgumentException($"{nameof(HotBytes)} is {HotBytes}; it must hold at least one block of {shape.BytesPerBlock} bytes.");
        return (int)Math.Min(int.MaxValue, HotBytes / shape.BytesPerBlock);
    }
}
