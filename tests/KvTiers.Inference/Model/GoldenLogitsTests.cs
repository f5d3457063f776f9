using System.Text.Json;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tests.Tokens;

namespace KvTiers.Inference.Tests.Model;

/// <summary>
/// Logits against those that an independent implementation computed when the fixtures were made. A case is a folder: a model
/// (of its own, or that of <c>models/</c> with the same name), <c>input.json</c> with token ids per prompt, and <c>logits.safetensors</c>
/// with <c>logits.i</c> [tokens, vocabulary] for prompt i, or of its tokens from <c>from[i]</c> on.
/// </summary>
public sealed class GoldenLogitsTests
{
    // Largest absolute difference of a logit, 32-bit KV and weights as stored. Both sides compute in 32 bits, in other orders.
    private const float Tolerance = 2e-4f;

    private static readonly string Fixtures = GoldenTokenizers.RepositoryPath("tests", "Golden", "fixtures");

    [Fact]
    public void LogitsOfEveryCaseAreWithinTheTolerance()
    {
        foreach (string folder in Cases())
        {
            using LanguageModel model = LanguageModel.Load(ModelFolder(folder), new ModelOptions { Threads = 2 });
            using ModelRun run = new(model, KvFormat.F32);
            using SafetensorsFile expected = new(Path.Combine(folder, "logits.safetensors"));
            using JsonDocument input = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "input.json")));
            int[][] prompts = input.RootElement.GetProperty("prompts").Deserialize<int[][]>()!;
            int[] from = input.RootElement.TryGetProperty("from", out JsonElement starts) ? starts.Deserialize<int[]>()! : new int[prompts.Length];
            Assert.Equal(prompts.Length, expected.Tensors.Count);
            float worst = 0, greatest = 0;
            for (int i = 0; i < prompts.Length; i++)
            {
                int rows = prompts[i].Length - from[i], vocabulary = model.Config.Vocabulary;
                float[] wanted = new float[rows * vocabulary];
                expected.Tensors[$"logits.{i}"].Require(rows, vocabulary).Read(0, 1, wanted);
                float[] logits = run.Logits(prompts[i])[(from[i] * vocabulary)..];
                worst = Math.Max(worst, logits.Zip(wanted, (a, b) => Math.Abs(a - b)).Max());
                greatest = Math.Max(greatest, wanted.Max(Math.Abs));
            }
            TestContext.Current.TestOutputHelper?.WriteLine($"{Path.GetFileName(folder)}: largest difference {worst:E2}, logits up to {greatest:F1}");
            Assert.True(worst < Tolerance, $"{Path.GetFileName(folder)}: {worst:E2}");
        }
    }

    [Fact]
    public void TheCasesCoverEveryKindOfModel()
    {
        List<ModelConfig> configs = [.. Cases().Select(folder => ModelConfig.Load(ModelFolder(folder)))];

        Assert.Contains(configs, config => config.Architecture == ModelArchitecture.Gpt2);
        List<ModelConfig> llamas = [.. configs.Where(config => config.Architecture == ModelArchitecture.Llama)];
        Assert.Contains(llamas, config => config.KvHeads == config.Heads);
        Assert.Contains(llamas, config => config.KvHeads == 1 && config.Heads > 1);
        Assert.Contains(llamas, config => config.KvHeads > 1 && config.KvHeads < config.Heads);
        Assert.Contains(llamas, config => config.SlidingWindow is not null);
        Assert.Contains(llamas, config => config.RopeScaling is RopeScaling.Linear);
        Assert.Contains(llamas, config => config.RopeScaling is RopeScaling.Llama3);
        Assert.Contains(llamas, config => config.TiedEmbeddings);
        Assert.Contains(llamas, config => !config.TiedEmbeddings);
        Assert.Contains(Cases(), folder => Path.GetFileName(folder).StartsWith("demo", StringComparison.Ordinal));
    }

    private static string[] Cases()
    {
        Assert.SkipUnless(Directory.Exists(Fixtures), $"The golden logits are not in {Path.GetFileName(Fixtures)} yet.");
        return Directory.GetDirectories(Fixtures);
    }

    private static string ModelFolder(string folder) => File.Exists(Path.Combine(folder, "config.json"))
        ? folder
        : GoldenTokenizers.RepositoryPath("models", Path.GetFileName(folder));
}
