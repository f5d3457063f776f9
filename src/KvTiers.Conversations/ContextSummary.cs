namespace KvTiers.Conversations;

/// <summary>What making a summary took. The summary itself is in the conversation (<see cref="ContextView.Summary"/>).</summary>
public sealed record ContextSummary
{
    /// <summary>Tokens of the prompt that asked for it.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Those of them that were found in the cache.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Generated tokens.</summary>
    public required int CompletionTokens { get; init; }
}
