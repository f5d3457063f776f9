namespace KvTiers.Conversations;

/// <summary>What a turn left out of its prompt, because the context was full.</summary>
/// <remarks>It is cut rarely and by much, so that the turns until the next cut find all of their prompt in the cache.</remarks>
public sealed record ContextCut
{
    /// <summary>How it was done: the conversation's policy, or <see cref="ContextPolicy.DropOldest"/> when the summary could not be made.</summary>
    public required ContextPolicy Policy { get; init; }

    /// <summary>Messages that this turn left out. The conversation keeps them.</summary>
    public required int MessagesDropped { get; init; }

    /// <summary>Their tokens.</summary>
    public required int TokensDropped { get; init; }

    /// <summary>Index in the conversation of the first of them.</summary>
    public required int FirstDropped { get; init; }

    /// <summary>Messages of the conversation that the prompt still has.</summary>
    public required int MessagesKept { get; init; }

    /// <summary>Leading tokens of the prompt before the cut: their blocks stay valid.</summary>
    public required int TokensBeforeCut { get; init; }

    /// <summary>Tokens of the prompt before anything was left out.</summary>
    public required int FormerPromptTokens { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Tokens of them that were to be free for the answer: as many as were asked for, at most half of the context.</summary>
    public required int AnswerReserve { get; init; }

    /// <summary>The summary that stands in place of what was left out; null = none.</summary>
    public ContextSummary? Summary { get; init; }

    /// <summary>Why there is no summary although the policy asks for one; null = there is, or it asks for none.</summary>
    public string? SummaryFailure { get; init; }
}
