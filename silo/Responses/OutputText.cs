using KvTiers.Silo.OpenAi;

namespace KvTiers.Silo.Responses;

/// <summary>A text in an answer.</summary>
/// <param name="Text">The text.</param>
/// <param name="Logprobs">One entry a token; empty = not asked for.</param>
internal sealed record OutputText(string Text, IReadOnlyList<ChatTokenLogprob> Logprobs)
{
    /// <summary>Always <c>output_text</c>.</summary>
    public string Type => "output_text";

    /// <summary>Always empty: the model cites nothing.</summary>
    public IReadOnlyList<object> Annotations => [];
}
