using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>An engine over its own cache, for one test.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    public EngineHost(LanguageModel model, Tokenizer tokenizer, int blocks = 256, EngineOptions? options = null, KvFormat format = KvFormat.F32, TimeProvider? time = null)
    {
        Cache = new KvCache(model.Config.CreateLayout(format), new KvCacheOptions { HotBlocks = blocks, Prefault = false });
        Engine = new Engine(model, tokenizer, Cache, options ?? new EngineOptions(), time);
    }

    public KvCache Cache { get; }

    public Engine Engine { get; }

    public Task<GenerationResult> Run(GenerationRequest request, CancellationToken cancellationToken = default) =>
        Engine.Submit(request, cancellationToken).Completion.WaitAsync(HangLimit.Time, CancellationToken.None);

    /// <summary>Submits all at once, so that they meet in the same steps.</summary>
    public async Task<GenerationResult[]> RunTogether(IEnumerable<GenerationRequest> requests)
    {
        Generation[] generations = [.. requests.Select(request => Engine.Submit(request))];
        return await Task.WhenAll(generations.Select(generation => generation.Completion)).WaitAsync(HangLimit.Time);
    }

    /// <summary>Blocks that are free or that nobody uses.</summary>
    public int AvailableBlocks => Cache.Pool.FreeCount + Cache.Snapshot().EvictableBlocks;

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
        CacheIntegrity.Check(Cache);
        Cache.Dispose();
    }
}
