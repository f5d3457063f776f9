using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers;

namespace KvTiers.Bench.Promotion;

/// <summary>An engine with one tier under its cache, and a policy of what is loaded from there.</summary>
internal sealed class TieredEngine : IAsyncDisposable
{
    private readonly KvCache _cache;
    private readonly TierStack _stack;

    public TieredEngine(LanguageModel model, Tokenizer tokenizer, TierOptions tier, PromotionPolicy policy, int hotBlocks)
    {
        Policy = policy;
        _stack = new TierStack(new TierStackOptions { Tiers = [tier], Promotion = policy });
        _cache = new KvCache(model.Config.CreateLayout(KvFormatOf(tier)), new KvCacheOptions { HotBlocks = hotBlocks }, observer: _stack);
        _stack.Attach(_cache);
        Engine = new Engine(model, tokenizer, _cache, new EngineOptions(), tiers: _stack);
    }

    public PromotionPolicy Policy { get; }

    public Engine Engine { get; }

    /// <summary>What the planner goes by now.</summary>
    public string Estimates
    {
        get
        {
            TransferRate rate = _stack.RateOf(_stack.Names[0]);
            return FormattableString.Invariant(
                $"{1e3 * rate.LatencySeconds:F2} ms + {rate.BytesPerSecond / 1e9:F2} GB/s; {1e3 * _stack.Planner.PrefillSecondsPerToken:F2} ms a token");
        }
    }

    /// <summary>Sends every hot block down and waits until it is there: what was computed is in the tier, and nowhere else.</summary>
    public async Task CoolAsync(CancellationToken cancel)
    {
        while (_cache.EvictAhead(int.MaxValue, atMost: 16) > 0)
        {
            await _cache.DeparturesAsync();
            await _stack.DrainAsync(cancel);
        }

        await _stack.DrainAsync(cancel);
    }

    /// <summary>Answers a prompt with one token.</summary>
    public async Task<GenerationResult> AnswerAsync(int[] prompt, CancellationToken cancel) => await Engine.Submit(
        new GenerationRequest { Prompt = prompt, MaxNewTokens = 1, IgnoreEndOfText = true, Sampling = new SamplingOptions { Temperature = 0 } }, cancel).Completion;

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _stack.DisposeAsync();
        _cache.Dispose();
    }

    private static Blocks.KvFormat KvFormatOf(TierOptions tier) => ((BlockTier)tier.Tier).Format.Codec.Layout.Format;
}
