namespace KvTiers.Silo.Fields;

/// <summary>A route whose requests have a table of fields.</summary>
/// <param name="Path">Where it is posted to.</param>
/// <param name="Table">The fields.</param>
internal sealed record ApiTable(string Path, FieldTable Table)
{
    /// <summary>Every route that has one.</summary>
    public static IReadOnlyList<ApiTable> All { get; } =
    [
        new("/v1/chat/completions", ChatFields.Table),
        new("/v1/completions", TextFields.Table),
        new("/v1/embeddings", EmbeddingFields.Table),
        new("/v1/messages", AnthropicFields.Table),
        new("/v1/messages/count_tokens", AnthropicFields.CountTable),
        new("/v1/responses", ResponseFields.Table),
        new("/tokenize", TokenFields.Tokenize),
        new("/detokenize", TokenFields.Detokenize),
        new("/apply-template", TokenFields.ApplyTemplate),
    ];
}
