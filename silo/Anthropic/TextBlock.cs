using System.Text.Json.Serialization;

namespace KvTiers.Silo.Anthropic;

/// <summary>A block of text in an answer.</summary>
/// <param name="Text">The text.</param>
internal sealed record TextBlock(string Text)
{
    /// <summary>Always <c>text</c>.</summary>
    public string Type => "text";

    /// <summary>Always null: the model cites nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Citations => null;
}
