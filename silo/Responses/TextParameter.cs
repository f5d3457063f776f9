using System.Text.Json;

namespace KvTiers.Silo.Responses;

/// <summary>How the text of an answer is written, as a caller sends it.</summary>
internal sealed record TextParameter
{
    /// <summary>The format: of the type <c>text</c>, <c>json_object</c> or <c>json_schema</c>.</summary>
    public JsonElement? Format { get; init; }
}
