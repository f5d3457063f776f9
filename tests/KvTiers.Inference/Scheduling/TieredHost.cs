using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>An engine over a small hot tier and colder ones, for one test.</summary>
internal sealed class TieredHost : IAsyncDisposable
{
    public TieredHost(TinyModel tiny, int blocks, Func<BlockRecord, TierOptions[]> tiers, PromotionPolicy promotion = PromotionPolicy.Always, EngineOptions? options = null, ILogger<Engine>? logger = null)
    {
        LanguageModel model = tiny.WithThreads(2);
        BlockLayout layout = model.Config.CreateLayout(KvFormat.F32);
        Tiers = TieredCache.OpenAsync(layout, new TieredCacheOptions
        {
            // A block is given up when the device does not keep pace for so long, which is not what is tested.
            Hot = new KvCacheOptions { HotBlocks = blocks, Prefault = false, EvictionPatience = TimeSpan.FromMinutes(1) },
            Tiers = [.. tiers(new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot))).Select(tier => tier with { Deadline = TimeSpan.FromMinutes(1) })],
            Promotion = promotion,
        }).GetAwaiter().GetResult();
        Engine = new Engine(model, tiny.Tokenizer, Cache, options ?? new EngineOptions(), logger: logger, tiers: Tiers);
    }

    public TieredCache Tiers { get; }

    public KvCache Cache => Tiers.Cache;

    public Engine Engine { get; }

    public static TierOptions Ram(BlockRecord format, int blocks) => TierOptions.Ram((long)blocks * format.RecordBytes);

    public static TierOptions Disk(BlockRecord format, TemporaryFolder folder) => TierOptions.Disk(new DiskStoreOptions
    {
        Folder = Path.Combine(folder.Path, "disk"),
        CapacityBytes = 4096L * format.RecordBytes,
        SegmentBytes = 64 << 20,
    });

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
        await Engine.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
        CacheIntegrity.Check(Cache);
        await Tiers.DisposeAsync();
    }
}
