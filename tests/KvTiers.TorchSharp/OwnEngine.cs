using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers;

namespace KvTiers.TorchSharp.Tests;

/// <summary>Our own engine, as the other side of a comparison.</summary>
internal static class OwnEngine
{
    /// <summary>Logits of every token of a sequence, [tokens][vocabulary].</summary>
    public static float[][] Logits(LanguageModel model, int[] tokens)
    {
        using var cache = new KvCache(model.Config.CreateLayout(KvFormat.F32), new KvCacheOptions { HotBlocks = 64, Prefault = false });
        using BlockLease lease = cache.AcquirePrivate();
        Assert.True(lease.TryReserve(tokens.Length));
        using StepBatch batch = model.CreateBatch(KvFormat.F32);
        batch.Add(lease.Table, tokens, 0, tokens.Length);
        model.Forward(batch);
        return [.. Enumerable.Range(0, tokens.Length).Select(row => batch.Logits(0, row).ToArray())];
    }

    /// <summary>Greedy tokens after a prompt, and how many of the prompt's tokens the cache had.</summary>
    public static async Task<(int[] Tokens, int Cached)> GenerateAsync(LanguageModel model, string folder, TieredCache tiers, int[] prompt, int count)
    {
        await using var engine = new Engine(model, Tokenizer.Load(folder), tiers.Cache, new EngineOptions(), tiers: tiers);
        GenerationResult result = await engine.Submit(new GenerationRequest
        {
            Prompt = prompt,
            MaxNewTokens = count,
            Sampling = SamplingOptions.Greedy,
            IgnoreEndOfText = true,
        }).Completion;
        return ([.. result.Choices[0].TokenIds], result.CachedTokenCount);
    }
}
