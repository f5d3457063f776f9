using KvTiers.Conversations;

namespace KvTiers.Silo.Responses;

/// <summary>Tokens in and out of a response.</summary>
/// <param name="InputTokens">Tokens of the prompt.</param>
/// <param name="InputTokensDetails">Where they came from.</param>
/// <param name="OutputTokens">Generated tokens.</param>
/// <param name="OutputTokensDetails">What they are.</param>
/// <param name="TotalTokens">All of them.</param>
internal sealed record ResponseUsage(int InputTokens, InputTokensDetails InputTokensDetails, int OutputTokens, OutputTokensDetails OutputTokensDetails, int TotalTokens)
{
    /// <summary>The counts of an answer.</summary>
    public static ResponseUsage Of(int prompt, int cached, int completion) =>
        new(prompt, new InputTokensDetails(cached), completion, new OutputTokensDetails(), prompt + completion);

    /// <summary>The same counts as a turn reports them.</summary>
    public static ResponseUsage Of(TurnUsage usage) => Of(usage.PromptTokens, usage.Cached.Total, usage.CompletionTokens);
}
