namespace KvTiers.Inference.Model;

/// <content>Architectures with a mixture of experts.</content>
internal static partial class ModelConfigReader
{
    private static ModelConfig Mixtral(JsonProperties json, string architecture)
    {
        NoBiases(json);
        ModelConfig config = Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false, Epsilon = 1e-5, Theta = 1_000_000 });
        int experts = json.Int(Either(json, "num_local_experts", "num_experts"), 1, MostElements, 8);
        return WithExperts(
            WithWindow(config, Window(json, null), _ => true), new ExpertsConfig(experts, PerToken(json, experts, 2), config.Intermediate, true), _ => true);
    }

    private static ModelConfig Qwen3Moe(JsonProperties json, string architecture)
    {
        ModelConfig config = Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false });
        config = WithAttentionBias(json, config) with { QueryKeyNorm = QueryKeyNorm.Head };
        MustBe(json, "use_sliding_window", false);
        IgnoredWindow(json);
        int step = json.Int("decoder_sparse_step", 1, MostLayers, 1);
        int[] dense = json.Ints("mlp_only_layers", 0, MostLayers) ?? [];
        int count = json.Int(Either(json, "num_experts", "num_local_experts"), 1, MostElements, 128);
        ExpertsConfig experts = new(
            count, PerToken(json, count, 8), json.Int("moe_intermediate_size", 1, MostElements, 768), json.Flag("norm_topk_prob", false));
        return WithExperts(config, experts, i => !dense.Contains(i) && (i + 1) % step == 0);
    }

    private static ModelConfig Olmoe(JsonProperties json, string architecture)
    {
        ModelConfig config = Base(json, architecture, new FamilyDefaults { ContextLength = 4_096, Epsilon = 1e-5 });
        config = WithAttentionBias(json, config) with { QueryKeyNorm = QueryKeyNorm.Whole };
        if (json.Has("clip_qkv"))
            throw json.Fault("clip_qkv", "must be null: bounding queries, keys and values is not supported.");
        int count = json.Int(Either(json, "num_experts", "num_local_experts"), 1, MostElements, 64);
        ExpertsConfig experts = new(count, PerToken(json, count, 8), config.Intermediate, json.Flag("norm_topk_prob", false));
        return WithExperts(config, experts, _ => true);
    }

    private static int PerToken(JsonProperties json, int experts, int usual)
    {
        int perToken = json.Int("num_experts_per_tok", 1, MostElements, usual);
        return perToken <= experts
            ? perToken
            : throw json.Fault("num_experts_per_tok", $"is {perToken} but must be at most the number of experts, {experts}.");
    }

    private static ModelConfig WithExperts(ModelConfig config, ExpertsConfig experts, Func<int, bool> hasExperts) => config with
    {
        Experts = experts,
        LayerConfigs = [.. config.LayerConfigs.Select((layer, i) => layer with { HasExperts = hasExperts(i) })],
    };
}
