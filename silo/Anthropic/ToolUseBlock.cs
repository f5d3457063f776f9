using System.Text.Json;

namespace KvTiers.Silo.Anthropic;

/// <summary>A call of a tool in an answer.</summary>
/// <param name="Id">Names the call; its result refers to it.</param>
/// <param name="Name">The tool's name.</param>
/// <param name="Input">The arguments, an object.</param>
internal sealed record ToolUseBlock(string Id, string Name, JsonElement Input)
{
    private static readonly Dictionary<string, string> Direct = new() { ["type"] = "direct" };
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement;

    /// <summary>Always <c>tool_use</c>.</summary>
    public string Type => "tool_use";

    /// <summary>Always the model itself, and no code that it wrote: <c>{"type": "direct"}</c>.</summary>
    public IReadOnlyDictionary<string, string> Caller => Direct;

    /// <summary>A call that begins; its arguments follow.</summary>
    public static ToolUseBlock Begin(string id, string name) => new(id, name, Nothing);

    /// <summary>A call with its arguments. Those of an answer that was cut off may be no JSON: then they are the text under <c>INVALID_JSON</c>.</summary>
    public static ToolUseBlock Of(string id, string name, string arguments)
    {
        try
        {
            using JsonDocument input = JsonDocument.Parse(arguments.Length == 0 ? "{}" : arguments);
            // Written once to see that it can be: a string may hold half of a surrogate pair.
            _ = JsonSerializer.SerializeToUtf8Bytes(input.RootElement);
            return new ToolUseBlock(id, name, input.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return new ToolUseBlock(id, name, JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["INVALID_JSON"] = arguments }));
        }
    }
}
