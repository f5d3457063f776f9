using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Turns;

/// <summary>What a turn is about to do.</summary>
/// <param name="Base">The version it replaces; null = it begins the conversation.</param>
/// <param name="Next">The log up to the answer.</param>
/// <param name="Prompt">The tokens to continue.</param>
internal sealed record TurnPlan(ConversationState? Base, TokenLog Next, int[] Prompt)
{
    /// <summary>The cache salt of the conversation, or that it begins with; null = none.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>What is done when the prompt does not fit the context.</summary>
    public required ContextPolicy Policy { get; init; }

    /// <summary>What is done from this turn on, when the turn says so; null = as before.</summary>
    public ContextPolicy? NewPolicy { get; init; }

    /// <summary>What this turn leaves out; null = nothing.</summary>
    public ContextCut? Cut { get; init; }

    /// <summary>The version that the turn makes.</summary>
    public long Version => (Base?.Version.Number ?? 0) + 1;

    /// <summary>The log before the turn.</summary>
    public TokenLog Former => Base?.Log ?? TokenLog.Empty;

    /// <summary>Leading tokens of the former log that the prompt has too.</summary>
    public int KeptTokens => Former.CommonPrefix(Prompt);
}
