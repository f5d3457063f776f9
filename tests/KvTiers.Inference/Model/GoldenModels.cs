using KvTiers.Inference.Tests.Tokens;

namespace KvTiers.Inference.Tests.Model;

/// <summary>The committed random models, each with logits that an independent implementation computed (<c>tools/golden_fixtures</c>).</summary>
internal static class GoldenModels
{
    /// <summary>Those of the first architectures.</summary>
    public static readonly string[] Plain =
    [
        "gpt2-prefixed",
        "gpt2-tied",
        "llama-bf16",
        "llama-bias",
        "llama-f16",
        "llama-gelu",
        "llama-gqa",
        "llama-mha",
        "llama-mqa",
        "llama-relu2",
        "llama-rope-dynamic",
        "llama-rope-linear",
        "llama-rope-llama3",
        "llama-sharded",
        "llama-sliding-window",
        "llama-untied",
        "qwen2-bias",
        "qwen2-late-window",
    ];

    /// <summary>One or more of every other family, with contexts of 1,024 tokens.</summary>
    public static readonly string[] Families =
    [
        "gemma2",
        "gemma2-uncapped",
        "gemma3",
        "gemma3-nested",
        "gemma3-vision",
        "gpt-neox",
        "gpt-neox-sequential",
        "granite",
        "llama-rope-yarn",
        "ministral-alternating",
        "mixtral",
        "olmo2",
        "olmoe",
        "phi3",
        "phi3-longrope",
        "phi3-shortrope",
        "qwen3",
        "qwen3-moe",
        "smollm3",
        "stablelm",
        "stablelm-parallel",
    ];

    /// <summary>Where they are.</summary>
    public static readonly string Root = GoldenTokenizers.RepositoryPath("tests", "Golden", "fixtures");

    /// <summary>All that have weights of their own.</summary>
    public static IEnumerable<string> WithWeights => Plain.Concat(Families);

    /// <summary>The folder of one.</summary>
    public static string Folder(string name) => Path.Combine(Root, name);
}
