using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>An engine over a small hot tier and colder ones, for one test.</summary>
internal sealed class TieredHost : IAsyncDisposable
{
    public TieredHost(TinyModel tiny, int blocks, Func<BlockRecord, TierOptions[]> tiers, PromotionPolicy promotion = PromotionPolicy.Always)
    {
        LanguageModel model = tiny.WithThreads(2);
        BlockLayout layout = model.Config.CreateLayout(KvFormat.F32);
        Tiers = new TierStack(new TierStackOptions
        {
            Tiers = tiers(new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot))),
            Promotion = promotion,
        });
        Cache = new KvCache(layout, new KvCacheOptions { HotBlocks = blocks, Prefault = false }, observer: Tiers);
        Tiers.Attach(Cache);
        Engine = new Engine(model, tiny.Tokenizer, Cache, new EngineOptions(), tiers: Tiers);
    }

    public TierStack Tiers { get; }

    public KvCache Cache { get; }

    public Engine Engine { get; }

    public static TierOptions Ram(BlockRecord format, int blocks) => new()
    {
        Tier = new BlockTier("ram", format, new RamStore(format.RecordBytes, (long)blocks * format.RecordBytes)),
        Immediate = true,
    };

    public static TierOptions Disk(BlockRecord format, TemporaryFolder folder) => new()
    {
        Tier = new BlockTier("disk", format, DiskStore.Open(format, new DiskStoreOptions
        {
            Folder = Path.Combine(folder.Path, "disk"),
            CapacityBytes = 4096L * format.RecordBytes,
            SegmentBytes = 64 << 20,
        })),

        // A block is given up when the device does not keep pace for so long, which is not what is tested.
        WritePatience = TimeSpan.FromMinutes(1),
    };

    public Task<GenerationResult> Run(GenerationRequest request, CancellationToken cancellationToken = default) =>
        Engine.Submit(request, cancellationToken).Completion.WaitAsync(HangLimit.Time, CancellationToken.None);

    /// <summary>Submits all at once.</summary>
    public Task<GenerationResult[]> RunTogether(IEnumerable<GenerationRequest> requests)
    {
        Generation[] generations = [.. requests.Select(request => Engine.Submit(request))];
        return Task.WhenAll(generations.Select(generation => generation.Completion)).WaitAsync(HangLimit.Time);
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        CacheIntegrity.Check(Cache);
        await Tiers.DisposeAsync();
        Cache.Dispose();
    }
}
