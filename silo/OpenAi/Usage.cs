using KvTiers.Conversations;

namespace KvTiers.Silo.OpenAi;

/// <summary>Tokens in and out of a call.</summary>
/// <param name="PromptTokens">Tokens of the prompts.</param>
/// <param name="CompletionTokens">Generated tokens of all answers.</param>
/// <param name="TotalTokens">Both together.</param>
/// <param name="PromptTokensDetails">Where the prompts' tokens came from.</param>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails)
{
    /// <summary>What the answers' tokens were.</summary>
    public CompletionTokensDetails CompletionTokensDetails { get; } = new();

    /// <summary>The same counts as a turn reports them.</summary>
    public static Usage From(TurnUsage usage) =>
        new(usage.PromptTokens, usage.CompletionTokens, usage.PromptTokens + usage.CompletionTokens, new PromptTokensDetails(usage.Cached.Total));
}
