using System.Text.Json;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tests.Tokens;

namespace KvTiers.Inference.Tests.Model;

/// <summary>
/// Logits against those that an independent implementation computed when the fixtures were made (<c>tools/golden_fixtures</c>). A case is a
/// folder: a model (of its own, or that of <c>models/</c> with the same name), <c>input.json</c> with token ids per prompt, and
/// <c>logits.safetensors</c> with <c>logits.i</c> [tokens, vocabulary] for prompt i's tokens from <c>from[i]</c> on.
/// </summary>
public sealed class GoldenLogitsTests
{
    // Largest absolute difference of a logit, with 32-bit KV and weights as stored. The expected ones come from 64-bit arithmetic, so this
    // bounds the rounding of 32-bit sums alone. The largest difference seen is 1.5e-5, of logits up to 12.
    private const float Tolerance = 2e-4f;

    private const string Demo = "demo";

    /// <summary>Every case there must be: the demo model's from the day its weights are in the repository.</summary>
    public static TheoryData<string> Cases =>
        File.Exists(GoldenTokenizers.RepositoryPath("models", Demo, "model.safetensors")) ? [Demo, .. GoldenModels.WithWeights] : [.. GoldenModels.WithWeights];

    [Theory]
    [MemberData(nameof(Cases))]
    public void LogitsAreWithinTheTolerance(string name)
    {
        using LanguageModel model = LanguageModel.Load(ModelFolder(name), new ModelOptions { Threads = 2 });
        using ModelRun run = new(model, KvFormat.F32);
        using SafetensorsFile expected = new(Path.Combine(GoldenModels.Folder(name), "logits.safetensors"));
        using JsonDocument input = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenModels.Folder(name), "input.json")));
        int[][] prompts = input.RootElement.GetProperty("prompts").Deserialize<int[][]>()!;
        int[] from = input.RootElement.GetProperty("from").Deserialize<int[]>()!;
        Assert.Equal(prompts.Length, from.Length);
        Assert.Equal(prompts.Length, expected.Tensors.Count);
        float worst = 0, greatest = 0;
        for (int i = 0; i < prompts.Length; i++)
        {
            int rows = prompts[i].Length - from[i], vocabulary = model.Config.Vocabulary;
            float[] wanted = new float[rows * vocabulary];
            expected.Tensors[$"logits.{i}"].Require(rows, vocabulary).Read(0, 1, wanted);
            float[] logits = run.Logits(prompts[i])[(from[i] * vocabulary)..];
            Assert.Equal(wanted.Length, logits.Length);
            for (int j = 0; j < wanted.Length; j++)
            {
                // Math.Max passes NaN on, and NaN is not below the tolerance.
                worst = Math.Max(worst, Math.Abs(logits[j] - wanted[j]));
                greatest = Math.Max(greatest, Math.Abs(wanted[j]));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: largest difference {worst:E2}, logits up to {greatest:F1}");
        Assert.True(worst < Tolerance, $"{name}: largest difference {worst:E2}, tolerance {Tolerance:E2}");
    }

    [Fact]
    public void EveryFolderIsACaseAndEveryCaseHasItsFolder()
    {
        string[] cases = [.. Cases.Select(row => row.Data)];
        string[] folders = [.. Directory.GetDirectories(GoldenModels.Root).Select(folder => Path.GetFileName(folder))];

        Assert.True(!cases.Except(folders).Any(), $"Missing: {string.Join(", ", cases.Except(folders))}; tools/golden_fixtures/README.md says how to make it.");
        Assert.True(!folders.Except(cases).Any(), $"Not a case: {string.Join(", ", folders.Except(cases))}.");
    }

    [Fact]
    public void TheCasesAreWhatTheirNamesSay()
    {
        Dictionary<string, ModelConfig> configs = GoldenModels.WithWeights.ToDictionary(name => name, name => ModelConfig.Load(ModelFolder(name)));

        Assert.All(configs, pair => Assert.Equal(pair.Key.StartsWith("gpt2", StringComparison.Ordinal), pair.Value.LearnedPositions));
        Assert.Equal(configs["llama-mha"].Heads, configs["llama-mha"].KvHeads);
        Assert.InRange(configs["llama-gqa"].KvHeads, 2, configs["llama-gqa"].Heads - 1);
        Assert.Equal(1, configs["llama-mqa"].KvHeads);
        Assert.Equal(21, configs["llama-sliding-window"].WindowOf(0));
        Assert.Equal([null, 16], configs["qwen2-late-window"].LayerConfigs.Select(layer => layer.Window));
        Assert.IsType<RopeScaling.Linear>(configs["llama-rope-linear"].LayerConfigs[0].Rotary!.Scaling);
        Assert.IsType<RopeScaling.Llama3>(configs["llama-rope-llama3"].LayerConfigs[0].Rotary!.Scaling);
        Assert.IsType<RopeScaling.Yarn>(configs["llama-rope-yarn"].LayerConfigs[0].Rotary!.Scaling);
        Assert.Equal(6, Assert.IsType<RopeScaling.LongRope>(configs["phi3-longrope"].LayerConfigs[0].Rotary!.Scaling).Factors[^1]);
        Assert.Equal(1.4, Assert.IsType<RopeScaling.LongRope>(configs["phi3-shortrope"].LayerConfigs[0].Rotary!.Scaling).Factors[^1]);
        Assert.Equal([true, false, true], configs["smollm3"].LayerConfigs.Select(layer => layer.Rotary is not null));
        Assert.Equal([21, null, 21], configs["gemma2"].LayerConfigs.Select(layer => layer.Window));
        Assert.Equal([21, 21, null, 21], configs["gemma3"].LayerConfigs.Select(layer => layer.Window));
        Assert.Equal([300.0, 300, 5_000, 300], configs["gemma3"].LayerConfigs.Select(layer => layer.Rotary!.Theta));
        Assert.Equal(configs["gemma3"], configs["gemma3-nested"]);
        Assert.Equal([true, false, true], configs["qwen3-moe"].LayerConfigs.Select(layer => layer.HasExperts));
        Assert.Equal(4, configs["gpt-neox"].LayerConfigs[0].Rotary!.Dim);
        Assert.True(configs["llama-gqa"].TiedEmbeddings);
        Assert.False(configs["llama-untied"].TiedEmbeddings);
        Assert.True(configs["gpt2-tied"].TiedEmbeddings);
        Assert.True(configs["llama-bias"] is { QkvBias: true, OutputBias: true, FeedForwardBias: true });
        Assert.True(configs["qwen2-bias"] is { QkvBias: true, OutputBias: false, FeedForwardBias: false });
    }

    private static string ModelFolder(string name) => File.Exists(Path.Combine(GoldenModels.Folder(name), "config.json"))
        ? GoldenModels.Folder(name)
        : GoldenTokenizers.RepositoryPath("models", name);
}
