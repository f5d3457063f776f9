using System.Text.Json;

namespace KvTiers.Inference.Tokens;

/// <summary>Reads a JSON file of a tokenizer folder; everything wrong becomes a <see cref="TokenizerFormatException"/> that names the file and the place.</summary>
internal sealed class JsonFile
{
    private JsonFile(string path, JsonElement root)
    {
        Path = path;
        Root = root;
    }

    public string Path { get; }

    public JsonElement Root { get; }

    /// <summary>The file, whose root is an object; <c>null</c> when it does not exist.</summary>
    public static JsonFile? ReadIfExists(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 64 });
            var file = new JsonFile(path, document.RootElement.Clone());
            return file.Root.ValueKind == JsonValueKind.Object ? file : throw file.Fail("the file", "an object");
        }
        catch (JsonException e)
        {
            throw new TokenizerFormatException(path, $"is not valid JSON: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerFormatException(path, $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>"… must be …".</summary>
    public TokenizerFormatException Fail(string place, string rule) => new(Path, $"{place} must be {rule}");

    /// <summary>"… is not supported; supported: …".</summary>
    public TokenizerFormatException Unsupported(string component, string supported) =>
        new(Path, $"{component} is not supported; supported: {supported}");

    /// <summary>A member, or <c>null</c> when it is absent or null.</summary>
    public static JsonElement? Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public JsonElement Object(JsonElement parent, string place, string name) =>
        Member(parent, name) is { ValueKind: JsonValueKind.Object } value ? value : throw Fail(Join(place, name), "an object");

    public JsonElement Array(JsonElement parent, string place, string name) =>
        Member(parent, name) is { ValueKind: JsonValueKind.Array } value ? value : throw Fail(Join(place, name), "an array");

    public string String(JsonElement parent, string place, string name) => OptionalString(parent, place, name) ?? throw Fail(Join(place, name), "a string");

    public string? OptionalString(JsonElement parent, string place, string name) => Member(parent, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Text(value, Join(place, name)),
        _ => throw Fail(Join(place, name), "a string"),
    };

    public bool Flag(JsonElement parent, string place, string name, bool fallback) => Member(parent, name) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Fail(Join(place, name), "true or false"),
    };

    /// <summary>A token id: a whole number in [0, 2²⁴).</summary>
    public int Id(JsonElement value, string place) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id is >= 0 and < 1 << 24
            ? id
            : throw Fail(place, "a whole number from 0 to 16,777,215");

    /// <summary>A string's text.</summary>
    public string Text(JsonElement value, string place)
    {
        try
        {
            return value.GetString() ?? throw Fail(place, "a string");
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerFormatException(Path, $"{place} must be a string of whole characters", e);
        }
    }

    private static string Join(string place, string name) => place.Length == 0 ? name : $"{place}.{name}";
}
