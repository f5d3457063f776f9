using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Blocks;
using KvTiers.Inference.Tokens;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.TorchSharp;
using KvTiers.TorchSharp.Models;
using static System.FormattableString;

namespace KvTiers.Samples.TorchGenerate;

/// <summary>What the program shows: the shapes of each step, the time with and without a cache, and what the prefix tree saves in a second conversation.</summary>
/// <param name="settings">The command line.</param>
/// <param name="output">Where it is told.</param>
public sealed class Sample(Settings settings, TextWriter output)
{
    private const int EditedTokens = 10;
    private readonly byte[] _fingerprint = TorchLanguageModel.FingerprintOf(settings.Model);

    /// <summary>Runs it.</summary>
    public async Task RunAsync()
    {
        using TorchModel model = TorchModel.Load(settings.Model);
        BlockLayout layout = model.Config.CreateLayout(KvFormat.F32);
        var tokenizer = Tokenizer.Load(settings.Model);
        int[] prompt = settings.PromptTokens > 0
            ? [.. Enumerable.Range(0, settings.PromptTokens).Select(i => (int)((i * 7919L + 1009) % model.Config.Vocabulary))]
            : [.. tokenizer.Encode(settings.Text)];
        var options = new GenerateOptions(settings.NewTokens, settings.TopK);
        await TellAsync($"{settings.Model}: {model.GetType().Name}, {layout.Layers} layers, {prompt.Length} prompt tokens, {settings.NewTokens} to generate");
        await ShowShapesAsync(model, prompt);
        await CompareAsync(model, layout, prompt, options);
        await ShowSecondConversationAsync(model, layout, prompt, options);
        if (settings.PromptTokens == 0)
            await ShowTextAsync(model, tokenizer, prompt, options);
    }

    private async Task ShowShapesAsync(TorchModel model, int[] prompt)
    {
        using var past = new CatPast(model.Config.Layers, batch: 1);
        var lines = new List<string>();
        Generation.Generate(model, prompt, past, new GenerateOptions(3), computed => lines.Add(
            Invariant($"  step {lines.Count}: {computed} tokens in, past_key_values (2, 1, {model.Config.KvHeads}, {past.Length + computed}, {model.Config.HeadDim}) a layer")));
        await TellAsync("Shapes, (2, batch, kvHeads, tokens, headDim):");
        foreach (string line in lines)
            await TellAsync(line);
    }

    private async Task CompareAsync(TorchModel model, BlockLayout layout, int[] prompt, GenerateOptions options)
    {
        // Opened once, as an application does; each round has a namespace of its own, and finds nothing of the round before.
        await using TieredCache tiers = await TieredCache.OpenAsync(layout, new TieredCacheOptions { Hot = new KvCacheOptions { HotBlocks = 128 } });
        var ways = new List<(string Name, Func<int, Task<Past?>> Open)>();
        if (settings.UseCache != "off")
        {
            ways.Add(("KvTiers", async round => await OpenAsync(tiers, $"round {round}", prompt, prompt.Length + options.NewTokens)));
            ways.Add(("cat", _ => Task.FromResult<Past?>(new CatPast(layout.Layers, batch: 1))));
        }

        if (settings.UseCache != "on")
            ways.Add(("off", _ => Task.FromResult<Past?>(null)));
        Generation.Generate(model, prompt, past: null, new GenerateOptions(1)); // the runtime compiles, the weights are read once
        var results = ways.ToDictionary(way => way.Name, _ => new List<GenerateResult>());
        for (int round = 0; round < settings.Rounds; round++)
        {
            foreach ((string name, Func<int, Task<Past?>> open) in round % 2 == 0 ? ways : Enumerable.Reverse(ways))
            {
                using Past? past = await open(round);
                GenerateResult result = Generation.Generate(model, prompt, past, options);
                results[name].Add(result);
                await TellAsync(Invariant(
                    $"{name,8}: {result.Total.TotalSeconds:F3} s, first token {result.Prefill.TotalSeconds:F3} s, a step {result.Step.TotalMilliseconds:F2} ms, {result.ComputedTokens} tokens computed, {(past?.CopiedBytes ?? 0) / 1048576.0:F1} MiB of K and V copied, answer {Convert.ToHexStringLower(Digest(result.Tokens))[..8]}"));
            }
        }

        // The least of all rounds: what another process took is in none of them.
        double Total(string name) => results[name].Min(result => result.Total).TotalSeconds;
        double Step(string name) => results[name].Min(result => result.Step).TotalMilliseconds;
        if (settings.UseCache == "both")
            await TellAsync(Invariant($"Cache on: {Total("off") / Total("KvTiers"):F1} × as fast as off"));
        if (settings.UseCache != "off")
            await TellAsync(Invariant($"Against cat: {Total("cat") / Total("KvTiers"):F3} × as fast in all, {Step("cat") / Step("KvTiers"):F3} × a step"));
    }

    private async Task ShowSecondConversationAsync(TorchModel model, BlockLayout layout, int[] prompt, GenerateOptions options)
    {
        if (settings.UseCache == "off")
            return;
        int maxTokens = prompt.Length + options.NewTokens + EditedTokens;
        await using (TieredCache tiers = await WithDiskAsync(layout))
        {
            await AnswerAsync("first conversation", model, tiers, prompt, options, maxTokens);
            await AnswerAsync("second, the same prompt", model, tiers, prompt, options, maxTokens);
            int[] edited = [.. prompt];
            edited[^Math.Min(EditedTokens, prompt.Length)] ^= 1;
            await AnswerAsync("third, ten tokens from the end on edited", model, tiers, edited, options, maxTokens);
            await tiers.FlushAsync(CancellationToken.None);
        }

        await using TieredCache reopened = await WithDiskAsync(layout);
        await AnswerAsync("after a restart, from disk", model, reopened, prompt, options, maxTokens);
    }

    private async Task AnswerAsync(string name, TorchModel model, TieredCache tiers, int[] prompt, GenerateOptions options, int maxTokens)
    {
        using TieredPast past = await OpenAsync(tiers, "conversations", prompt, maxTokens);
        int found = past.Length;
        GenerateResult result = Generation.Generate(model, prompt, past, options);
        past.Cache.Publish();
        await TellAsync(Invariant(
            $"{name}: {found} of {prompt.Length} prompt tokens found, {prompt.Length - found} computed, first token {result.Prefill.TotalMilliseconds:F0} ms, answer {Convert.ToHexStringLower(Digest(result.Tokens))[..8]}"));
    }

    private async Task ShowTextAsync(TorchModel model, Tokenizer tokenizer, int[] prompt, GenerateOptions options)
    {
        using var past = new CatPast(model.Config.Layers, batch: 1);
        await TellAsync("Continued: " + tokenizer.Decode(Generation.Generate(model, prompt, past, options).Tokens));
    }

    private async Task<TieredPast> OpenAsync(TieredCache tiers, string name, int[] prompt, int maxTokens)
    {
        BlockHash root = tiers.RootFor(_fingerprint, Encoding.UTF8.GetBytes(name));
        return new TieredPast(await TorchKvCache.AcquireAsync(tiers, root, prompt, new() { MaxTokens = maxTokens, InitialTokens = maxTokens }));
    }

    private Task<TieredCache> WithDiskAsync(BlockLayout layout) => TieredCache.OpenAsync(layout, new TieredCacheOptions
    {
        Hot = new KvCacheOptions { HotBlocks = 256, Prefault = false },
        Tiers = [TierOptions.Disk(new DiskStoreOptions { Folder = settings.Disk, CapacityBytes = 1L << 30 })],
        Promotion = PromotionPolicy.Always,
    });

    private static byte[] Digest(int[] tokens) => SHA256.HashData(MemoryMarshal.AsBytes<int>(tokens));

    private Task TellAsync(string line) => output.WriteLineAsync(line);
}
