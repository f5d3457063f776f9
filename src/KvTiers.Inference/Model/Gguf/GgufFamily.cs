namespace KvTiers.Inference.Model.Gguf;

/// <summary>What an architecture of GGUF files is called elsewhere, and how such files differ from others of it.</summary>
/// <param name="Architecture">The name in <c>config.json</c>.</param>
/// <param name="ModelType">The model type there.</param>
/// <param name="TurnsNeighbours">Rows of queries and keys are in the order of <see cref="HeadRows"/>.</param>
/// <param name="HasBiases">Biases of queries, keys and values belong to the architecture.</param>
internal sealed record GgufFamily(string Architecture, string ModelType, bool TurnsNeighbours, bool HasBiases)
{
    /// <summary>By <c>general.architecture</c>.</summary>
    public static IReadOnlyDictionary<string, GgufFamily> All { get; } = new Dictionary<string, GgufFamily>(StringComparer.Ordinal)
    {
        ["llama"] = new("LlamaForCausalLM", "llama", TurnsNeighbours: true, HasBiases: false),
        ["qwen2"] = new("Qwen2ForCausalLM", "qwen2", TurnsNeighbours: false, HasBiases: true),
        ["qwen3"] = new("Qwen3ForCausalLM", "qwen3", TurnsNeighbours: false, HasBiases: false),
    };
}
