namespace KvTiers.Inference.Tokens;

/// <summary>A chat as one text, with the ranges of it that came from message contents.</summary>
/// <param name="Text">The rendered text.</param>
/// <param name="ContentRanges">Ranges of <paramref name="Text"/> (UTF-16 offsets from the start, ascending, disjoint) in which no special token is recognised.</param>
/// <param name="MessageEnds">[messages]: where the text of each message ends, ascending. Empty when the text is not a chat.</param>
public sealed record RenderedPrompt(string Text, IReadOnlyList<Range> ContentRanges, IReadOnlyList<int> MessageEnds)
{
    /// <summary>A text without message boundaries.</summary>
    public RenderedPrompt(string text, IReadOnlyList<Range> contentRanges)
        : this(text, contentRanges, [])
    {
    }
}
