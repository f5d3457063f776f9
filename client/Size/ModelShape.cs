using System.Text.Json;
using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli.Size;

/// <summary>What a Hugging Face <c>config.json</c> says about the size of K and V.</summary>
/// <remarks>
/// Read loosely, so that models this project cannot run are sized too: Llama-like names, GPT-2 names, and the <c>text_config</c> of
/// models that also see.
/// </remarks>
internal sealed record ModelShape(int Layers, int Heads, int KvHeads, int HeadDim, int? ContextLength, int? Window, ElementType? Element)
{
    /// <param name="path">A model folder, or a GGUF file.</param>
    /// <exception cref="CliException">There is no readable <c>config.json</c> or file, or it lacks what is needed.</exception>
    public static ModelShape Read(string path)
    {
        if (GgufShape.IsNamedSo(path))
            return GgufShape.Read(path);
        string file = Path.Combine(path, "config.json");
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            return FromConfig(root.TryGetProperty("text_config", out JsonElement text) ? text : root, file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{file} cannot be read: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CliException($"{file} is not a model's configuration: {exception.Message}", exception);
        }
    }

    private static ModelShape FromConfig(JsonElement config, string file)
    {
        int Required(params ReadOnlySpan<string> names)
        {
            string expected = names[0];
            return Find(config, file, names) ?? throw new CliException($"{file} does not say {expected}.");
        }

        int heads = Required("num_attention_heads", "n_head");
        int? headDim = Find(config, file, "head_dim");
        if (headDim is null)
        {
            int hidden = Required("hidden_size", "n_embd");
            headDim = hidden % heads == 0
                ? hidden / heads
                : throw new CliException($"{file}: hidden_size {hidden} is no multiple of {heads} heads.");
        }

        // Some configurations carry a window and switch it off beside it.
        bool slides = !config.TryGetProperty("use_sliding_window", out JsonElement uses) || uses.ValueKind != JsonValueKind.False;
        return new ModelShape(
            Required("num_hidden_layers", "n_layer"), heads, Find(config, file, "num_key_value_heads") ?? heads, headDim.Value,
            Find(config, file, "max_position_embeddings", "n_positions"), slides ? Find(config, file, "sliding_window") : null,
            ReadElement(config));
    }

    private static int? Find(JsonElement config, string file, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (!config.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                continue;
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number > 0
                ? number
                : throw new CliException($"{file}: {name} is {value.GetRawText()}; it must be a positive whole number.");
        }

        return null;
    }

    private static ElementType? ReadElement(JsonElement config)
    {
        foreach (string name in (ReadOnlySpan<string>)["torch_dtype", "dtype"])
        {
            if (config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String)
                return ElementType.Find(value.GetString()!);
        }

        return null;
    }
}
