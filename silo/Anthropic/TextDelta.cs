namespace KvTiers.Silo.Anthropic;

/// <summary>What is added to a block of text.</summary>
/// <param name="Text">The text.</param>
internal sealed record TextDelta(string Text)
{
    /// <summary>Always <c>text_delta</c>.</summary>
    public string Type => "text_delta";
}
