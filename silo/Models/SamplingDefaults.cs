using System.Text.Json;
using KvTiers.Inference.Model;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>Reads from a model's <c>generation_config.json</c> how its makers want it sampled; a request's own parameters come before it.</summary>
internal static class SamplingDefaults
{
    private const string FileName = "generation_config.json";

    /// <summary>The model's defaults; without the file, or where it is silent, the engine's.</summary>
    /// <exception cref="ModelFormatException">The file is no JSON object, or a value is out of its range.</exception>
    public static SamplingOptions Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (ModelFolder.IsFile(folder) || !File.Exists(path)) return new SamplingOptions();
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = json.RootElement;
            var options = new SamplingOptions();
            bool isGreedy = root.TryGetProperty("do_sample", out JsonElement sample) && sample.ValueKind == JsonValueKind.False;
            options = options with
            {
                Temperature = isGreedy ? 0 : Number(root, "temperature") ?? options.Temperature,
                TopP = Number(root, "top_p") ?? options.TopP,
                TopK = (int)(Number(root, "top_k") ?? options.TopK),
                MinP = Number(root, "min_p") ?? options.MinP,
                RepetitionPenalty = Number(root, "repetition_penalty") ?? options.RepetitionPenalty,
            };
            options.Validate();
            return options;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ModelFormatException(path, null, e.Message, e);
        }
    }

    private static double? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
