using Microsoft.Extensions.AI;

namespace KvTiers.Client.Chat;

/// <summary>Tokens in and out of a call.</summary>
internal sealed record ChatPieceUsage
{
    public long PromptTokens { get; init; }

    public long CompletionTokens { get; init; }

    public long TotalTokens { get; init; }

    public PromptDetails? PromptTokensDetails { get; init; }

    public UsageDetails ToDetails() => new()
    {
        InputTokenCount = PromptTokens,
        OutputTokenCount = CompletionTokens,
        TotalTokenCount = TotalTokens,
        CachedInputTokenCount = PromptTokensDetails?.CachedTokens,
    };

    /// <summary>Where the prompt's tokens came from.</summary>
    internal sealed record PromptDetails
    {
        public long CachedTokens { get; init; }
    }
}
