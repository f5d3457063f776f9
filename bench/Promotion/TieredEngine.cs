using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers;

namespace KvTiers.Bench.Promotion;

/// <summary>An engine with one tier under its cache, and a policy of what is loaded from there.</summary>
internal sealed class TieredEngine : IAsyncDisposable
{
    private readonly TieredCache _tiers;

    private TieredEngine(LanguageModel model, Tokenizer tokenizer, TieredCache tiers, PromotionPolicy policy)
    {
        Policy = policy;
        _tiers = tiers;
        Engine = new Engine(model, tokenizer, tiers.Cache, new EngineOptions(), tiers: tiers);
    }

    public static async Task<TieredEngine> OpenAsync(LanguageModel model, Tokenizer tokenizer, BlockLayout layout, TierOptions tier, PromotionPolicy policy, int hotBlocks)
    {
        // A long way takes its time, which is what is measured.
        var options = new TieredCacheOptions
        {
            Hot = new KvCacheOptions { HotBlocks = hotBlocks, EvictionPatience = TimeSpan.FromSeconds(30) },
            Tiers = [tier with { Deadline = TimeSpan.FromSeconds(30) }],
            Promotion = policy,
        };
        return new TieredEngine(model, tokenizer, await TieredCache.OpenAsync(layout, options), policy);
    }

    public PromotionPolicy Policy { get; }

    public Engine Engine { get; }

    /// <summary>What the planner goes by now.</summary>
    public string Estimates
    {
        get
        {
            TransferRate rate = _tiers.RateOf(_tiers.Names[0]);
            return FormattableString.Invariant(
                $"{1e3 * rate.LatencySeconds:F2} ms + {rate.BytesPerSecond / 1e9:F2} GB/s; {1e3 * _tiers.Planner.PrefillSecondsPerToken:F2} ms a token");
        }
    }

    /// <summary>What all loads took so far, and what was predicted of each, in seconds.</summary>
    public (double Seconds, double Predicted) Loads => _tiers.RateOf(_tiers.Names[0]).Loads;

    /// <summary>Sends every hot block down and waits until it is there: what was computed is in the tier, and nowhere else.</summary>
    public async Task CoolAsync(CancellationToken cancel)
    {
        while (_tiers.Cache.EvictAhead(int.MaxValue, atMost: 16) > 0)
        {
            await _tiers.Cache.EvictionsAsync();
            await _tiers.DrainAsync(cancel);
        }

        await _tiers.DrainAsync(cancel);
    }

    /// <summary>Answers a prompt with one token.</summary>
    public async Task<GenerationResult> AnswerAsync(int[] prompt, CancellationToken cancel) => await Engine.Submit(
        new GenerationRequest { Prompt = prompt, MaxNewTokens = 1, IgnoreEndOfText = true, Sampling = new SamplingOptions { Temperature = 0 } }, cancel).Completion;

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _tiers.DisposeAsync();
    }
}
