using System.Text.Json;

namespace KvTiers.Inference.Tokens;

/// <summary>Reads a named token of <c>tokenizer_config.json</c>, written as a string or as an object with <c>content</c>.</summary>
internal static class SpecialTokenText
{
    /// <summary>The token's text; <c>null</c> when the file names none.</summary>
    public static string? Read(JsonFile file, string name) => JsonFile.Member(file.Root, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => file.Text(value, name),
        { ValueKind: JsonValueKind.Object } value => file.String(value, name, "content"),
        _ => throw file.Fail(name, "a string, or an object with content"),
    };
}
