using System.Text.Json.Nodes;
using KvTiers.MakeModel;

namespace KvTiers.TorchSharp.Tests;

/// <summary>Models to compare engines with: the demo model, and random ones of each family, small.</summary>
internal static class RandomFolder
{
    /// <summary>Writes one, and gives its folder: that of <c>models/demo</c> or the temporary one.</summary>
    public static string Write(string name, string folder)
    {
        if (name == "demo")
            return Path.Combine(Repository.Root, "models", "demo");
        ModelShape tiny = ModelShape.Find("tiny");
        ModelShape shape = name switch
        {
            "tiny" or "tiny-gpt2" => ModelShape.Find(name),
            "untied, each query head a KV head" => tiny with { KvHeads = 4, TiedEmbeddings = false },
            "one KV head" => tiny with { KvHeads = 1 },
            "stretched rotary positions" => tiny with { Llama3RopeScaling = true, RopeTheta = 500_000 },
            "sliding window" => tiny,
            _ => throw new ArgumentException(name),
        };
        RandomModel.Write(shape, folder, new RandomModelOptions { Seed = 3, Type = TensorType.F32 });
        if (name != "sliding window")
            return folder;
        string path = Path.Combine(folder, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        config["architectures"] = new JsonArray("MistralForCausalLM");
        config["sliding_window"] = 12;
        File.WriteAllText(path, config.ToJsonString());
        return folder;
    }

    /// <summary>Token ids that no text has.</summary>
    public static int[] Tokens(int count, int vocabulary, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3, vocabulary))];
    }
}
