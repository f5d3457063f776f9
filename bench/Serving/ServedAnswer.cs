using KvTiers.Conversations;

namespace KvTiers.Bench.Serving;

/// <summary>One streamed answer as its caller saw it.</summary>
/// <param name="Ttft">From the sending to the first token.</param>
/// <param name="Duration">From the sending to the end.</param>
/// <param name="PromptTokens">Tokens of the whole prompt.</param>
/// <param name="CompletionTokens">Tokens generated.</param>
/// <param name="Cached">Prompt tokens that the server found, by tier.</param>
internal sealed record ServedAnswer(TimeSpan Ttft, TimeSpan Duration, int PromptTokens, int CompletionTokens, CachedTokens Cached)
{
    /// <summary>Time a token after the first; null without one.</summary>
    public TimeSpan? Tpot => CompletionTokens > 1 ? (Duration - Ttft) / (CompletionTokens - 1) : null;
}
