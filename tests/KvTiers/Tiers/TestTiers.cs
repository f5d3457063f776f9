using KvTiers.Blocks;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>A cache of blocks of four tokens over tiers of the test's own, as production opens it.</summary>
internal static class TestTiers
{
    public static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4);

    public static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));

    public static RamStore Store(int blocks, TimeProvider? time = null) => new(Format.RecordBytes, (long)blocks * Format.RecordBytes, time);

    /// <summary>A tier in memory that takes blocks where they lie.</summary>
    public static TierOptions Ram(int blocks, string name = "ram", TimeProvider? time = null) => TierOptions.Over(name, Store(blocks, time));

    /// <summary>A tier that is written in the background, one block at a time.</summary>
    public static TierOptions Queued(string name, IRecordStore store) => TierOptions.Over(name, store) with { InPlace = false, WriteConcurrency = 1 };

    public static IRecordStore StoreOf(TierOptions tier) => tier.Open(Format, TimeProvider.System).Result;

    /// <summary>Opens at once, as every store here is open.</summary>
    public static TieredCache Open(TieredCacheOptions options, TimeProvider? time = null, BlockShape? shape = null) =>
        TieredCache.OpenAsync(shape ?? Layout, options, time).GetAwaiter().GetResult();

    public static KvCacheOptions Hot(int blocks) => new() { HotBlocks = blocks, Prefault = false };
}
