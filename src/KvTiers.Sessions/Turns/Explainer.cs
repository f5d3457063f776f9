using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Turns;

/// <summary>Says why a turn computed what it computed.</summary>
internal static class Explainer
{
    /// <summary>The kind of miss.</summary>
    /// <param name="plan">The turn.</param>
    /// <param name="cachedTokens">Tokens of its prompt that were found.</param>
    /// <param name="useCache">Whether the cache was asked.</param>
    /// <param name="hostId">This process.</param>
    public static ExplanationReason ReasonFor(TurnPlan plan, int cachedTokens, bool useCache, string hostId)
    {
        if (!useCache)
            return ExplanationReason.CacheOff;
        if (plan.Base is not { LastTurn: { } lastTurn, LastTurnLog: { } lastLog })
            return ExplanationReason.FirstTurn;
        int common = lastLog.CommonPrefix(plan.Prompt);
        if (cachedTokens < Expected(lastTurn, common, plan.Prompt.Length))
            return lastTurn.Host == hostId ? ExplanationReason.Evicted : ExplanationReason.Restarted;
        return plan.Cut is not null ? ExplanationReason.Cut : common < lastLog.TokenCount ? ExplanationReason.Edited : ExplanationReason.Appended;
    }

    /// <summary>Tokens that a changed message, a full context, an eviction or a restart made the turn compute again.</summary>
    public static int CostFor(ExplanationReason reason, TurnPlan plan, int cachedTokens)
    {
        TokenLog next = plan.Next;
        if (plan.Base?.LastTurnLog is not { } lastLog || reason is ExplanationReason.FirstTurn or ExplanationReason.Appended)
            return 0;
        if (reason is ExplanationReason.Cut)
            return Math.Max(0, next.Messages.Where(message => lastLog.Messages.Contains(message, ReferenceEqualityComparer.Instance)).Sum(message => message.Tokens.Length) - cachedTokens);

        // Messages that the last turn did not have would have been computed anyhow.
        int oldMessages = Math.Min(lastLog.Messages.Length, next.Messages.Length);
        int oldTokens = reason is ExplanationReason.Edited || lastLog.CommonPrefix(plan.Prompt) < lastLog.TokenCount
            ? next.TokenStart(oldMessages)
            : Expected(plan.Base.LastTurn!, lastLog.TokenCount, plan.Prompt.Length);
        return Math.Max(0, oldTokens - cachedTokens);
    }

    public static Explanation Explain(ConversationState state, TurnTrace trace)
    {
        int computed = trace.PromptTokens - trace.CachedTokens;
        double costSeconds = computed > 0 ? trace.TtftMs / 1000 * trace.CostTokens / computed : 0;
        return new()
        {
            Conversation = state.Key.Id,
            Version = trace.Version,
            Reason = trace.Reason,
            PromptTokens = trace.PromptTokens,
            CachedTokens = trace.CachedTokens,
            ComputedTokens = computed,
            MessageIndex = trace.Difference?.MessageIndex,
            Role = trace.Difference?.Role,
            TokenOffset = trace.Difference?.TokenOffset,
            CharacterOffset = trace.Difference?.CharacterOffset,
            OldExcerpt = trace.Difference?.OldExcerpt,
            NewExcerpt = trace.Difference?.NewExcerpt,
            CostTokens = trace.CostTokens,
            CostSeconds = costSeconds,
            Text = Describe(trace, computed, costSeconds),
        };
    }

    // The last turn left K and V of its leading tokens; a prompt's last token is always computed.
    private static int Expected(TurnTrace lastTurn, int common, int promptLength) => Math.Min(Math.Min(common, lastTurn.LeftTokens), promptLength - 1);

    private static string Describe(TurnTrace trace, int computed, double costSeconds)
    {
        string found = $"Of {Tokens(trace.PromptTokens)}, {Were(trace.CachedTokens)} found in the cache and {Were(computed)} computed.";
        string reason = trace.Reason switch
        {
            ExplanationReason.FirstTurn when trace.CachedTokens == 0 => "It was the first turn, so nothing was known.",
            ExplanationReason.FirstTurn => "It was the first turn; what was found had been computed for another conversation with the same beginning.",
            ExplanationReason.Appended => "The conversation was only continued, so all that was known was found, and only what was new was computed.",
            ExplanationReason.Edited => Difference(trace.Difference!, trace.CachedTokens),
            ExplanationReason.Cut => Cut(trace.Cut!),
            ExplanationReason.Evicted => "Blocks of the conversation had been evicted to make room." + AlsoChanged(trace),
            ExplanationReason.Restarted => "Another process had computed the conversation: the server was restarted, or the conversation moved." + AlsoChanged(trace),
            ExplanationReason.CacheOff => "The turn asked not to use the cache.",
            _ => "",
        };
        string cost = trace.CostTokens == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" Computing {Tokens(trace.CostTokens)} again took about {costSeconds:0.###} s.");
        return $"{found} {reason}{cost}";
    }

    private static string Cut(ContextCut cut)
    {
        string from = $"The context of {Tokens(cut.ContextTokens)} was full, so {cut.MessagesDropped} messages of {Tokens(cut.TokensDropped)}, from message {cut.FirstDropped} on, are no longer in the prompt";
        return cut.Summary is null
            ? $"{from}; what follows them was computed anew."
            : $"{from}; a summary of {Tokens(cut.Summary.CompletionTokens)} stands in their place, and it and what follows were computed anew.";
    }

    private static string AlsoChanged(TurnTrace trace) =>
        trace.Cut is not null ? " " + Cut(trace.Cut) : trace.Difference is not null ? " " + Difference(trace.Difference, trace.CachedTokens) : "";

    private static string Difference(LogDifference difference, int cachedTokens)
    {
        string where = $"Message {difference.MessageIndex} ({difference.Role})";
        string what = (difference.OldExcerpt, difference.NewExcerpt) switch
        {
            (_, "") => $"{where}, \"{difference.OldExcerpt}\", is gone",
            (var old, var now) when old == now => $"{where} has the same text in other tokens",
            (var old, var now) => $"{where} differs from character {difference.CharacterOffset} on: \"{old}\" became \"{now}\"",
        };
        // As after an edit back: the blocks of the former text were still there.
        return cachedTokens > difference.TokenOffset
            ? $"{what}; what was found beyond token {difference.TokenOffset} had been computed for the same text before."
            : $"{what}, so everything from token {difference.TokenOffset} on was computed anew.";
    }

    private static string Were(int count) => count == 1 ? "1 was" : $"{count} were";

    private static string Tokens(int count) => count == 1 ? "1 token" : $"{count} tokens";
}
