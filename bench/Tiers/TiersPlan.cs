using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Tiers;

/// <summary>How much of what <c>tiers</c> measures.</summary>
internal sealed record TiersPlan(DirectoryInfo Disk, bool Quick, string? Only, int[]? SizesKiB)
{
    public static readonly int[] Depths = [1, 4];

    /// <summary>bfloat16 is what the hot tier holds here, so that encoding is the same as <see cref="BlockEncoding.Hot"/>.</summary>
    public static readonly BlockEncoding[] Encodings = [BlockEncoding.Hot, BlockEncoding.Float8E4M3, BlockEncoding.Int8, BlockEncoding.Int4];

    public IEnumerable<int> BlockBytes =>
        (SizesKiB ?? (Quick ? [128, 512, 4096] : [32, 128, 256, 512, 1024, 4096])).Select(size => size << 10);

    public int Rounds => Quick ? 3 : 5;

    public TimeSpan Compiling => TimeSpan.FromMilliseconds(500);

    /// <summary>Each slice in memory. Short, and many: neighbours come and go.</summary>
    public TimeSpan MemorySlice => TimeSpan.FromMilliseconds(Quick ? 20 : 30);

    /// <summary>Each slice on disk and on Redis.</summary>
    public TimeSpan Slice => TimeSpan.FromMilliseconds(Quick ? 80 : 120);

    /// <summary>Bytes of hot blocks, many times what the caches hold.</summary>
    public long HotBytes => 128L << 20;

    /// <summary>Bytes that a tier of memory or disk holds.</summary>
    public long StoredBytes => 256L << 20;

    public int RedisConnections { get; init; } = 2;

    public long RedisBytes => 64L << 20;

    public bool Has(string tier) => Only is null || Only == tier;

    /// <summary>On disk and on Redis an encoding is fewer bytes of the same: one size shows it.</summary>
    public BlockEncoding[] EncodingsOutside(int blockBytes) => blockBytes == 512 << 10 ? Encodings : [BlockEncoding.Hot];

    /// <summary>The lossless encoding is the one that is held against a target.</summary>
    public int RoundsFor(BlockEncoding encoding) => encoding == BlockEncoding.Hot ? Rounds : 2;
}
