using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tests.Tokens;

namespace KvTiers.Inference.Tests.Model;

/// <summary>Configurations with the properties that published models of each family have: all of them are understood, and mean the model's size.</summary>
public sealed class PublishedConfigTests : IDisposable
{
    private static readonly JsonObject Configs =
        JsonNode.Parse(File.ReadAllText(GoldenTokenizers.RepositoryPath("tests", "Golden", "published_configs.json")))!.AsObject();

    private readonly TemporaryFolder _folder = new();

    /// <summary>Name, parameters in millions without norms, bytes of K and V for each token in bfloat16.</summary>
    public static TheoryData<string, int, int> Sizes => new()
    {
        { "llama-3.2-1b", 1_236, 32_768 },
        { "llama-2-7b", 6_738, 524_288 },
        { "smollm2-135m", 134, 23_040 },
        { "smollm3-3b", 3_075, 73_728 },
        { "mistral-7b-v0.1", 7_241, 131_072 },
        { "qwen2.5-0.5b", 494, 12_288 },
        { "qwen3-0.6b", 596, 114_688 },
        { "gemma-2-2b", 2_614, 106_496 },
        { "gemma-3-1b", 1_000, 26_624 },
        { "gemma-3-4b", 3_880, 139_264 },
        { "gemma-3-270m", 268, 18_432 },
        { "phi-4-mini", 3_836, 131_072 },
        { "phi-4", 14_659, 204_800 },
        { "granite-3.1-2b", 2_533, 81_920 },
        { "olmo-2-1b", 1_485, 131_072 },
        { "stablelm-2-1.6b", 1_644, 196_608 },
        { "pythia-14m", 14, 3_072 },
        { "distilgpt2", 82, 18_432 },
        { "mixtral-8x7b", 46_703, 131_072 },
        { "qwen3-30b-a3b", 30_532, 98_304 },
        { "olmoe-1b-7b", 6_919, 131_072 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void EveryPropertyIsUnderstoodAndTheModelHasItsSize(string name, int millions, int bytesPerToken)
    {
        ModelConfig config = Load(name);

        Assert.Equal(bytesPerToken, config.CreateLayout(KvTiers.Blocks.KvFormat.BF16).BytesPerToken);
        Assert.Equal(millions, (int)Math.Round(Parameters(config) / 1e6));
    }

    [Fact]
    public void EveryConfigurationHasItsSize() => Assert.Equal(Configs.Select(config => config.Key).Order(), Sizes.Select(row => row.Data.Item1).Order());

    [Fact]
    public void EveryArchitectureHasAPublishedConfigurationButMinistralsWhichIsMistrals() => Assert.Equal(
        ModelConfigReader.Architectures.Where(name => name != "MinistralForCausalLM").Order(),
        Configs.Select(config => Load(config.Key).Architecture).Distinct().Order());

    public void Dispose() => _folder.Dispose();

    private ModelConfig Load(string name)
    {
        File.WriteAllText(_folder.Sub("config.json"), Configs[name]!.ToJsonString(JsonSerializerOptions.Web));
        return ModelConfig.Load(_folder.Path);
    }

    // Of matrices, embeddings and the biases of queries, keys and values.
    private static double Parameters(ModelConfig config)
    {
        double hidden = config.Hidden, queries = config.Heads * config.HeadDim, keys = config.KvHeads * config.HeadDim;
        double embeddings = config.Vocabulary * hidden * (config.TiedEmbeddings ? 1 : 2) + (config.LearnedPositions ? config.ContextLength * hidden : 0);
        double attention = hidden * (queries + 2 * keys) + queries * hidden + (config.QkvBias ? queries + 2 * keys : 0);
        double matrices = config.IsGated ? 3 : 2;
        return embeddings + config.LayerConfigs.Sum(layer => attention + (layer.HasExperts
            ? config.Experts!.Count * (3 * hidden * config.Experts.Intermediate + hidden)
            : matrices * hidden * config.Intermediate));
    }
}
