using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Turns;

/// <summary>Says why a turn computed what it computed.</summary>
internal static class Explainer
{
    /// <summary>The kind of miss.</summary>
    /// <param name="former">The conversation before the turn; null = the turn began it.</param>
    /// <param name="prompt">The turn's prompt.</param>
    /// <param name="cachedTokens">Its tokens that were found.</param>
    /// <param name="useCache">Whether the cache was asked.</param>
    /// <param name="hostId">This process.</param>
    public static ExplanationReason ReasonFor(ConversationState? former, ReadOnlySpan<int> prompt, int cachedTokens, bool useCache, string hostId)
    {
        if (!useCache)
            return ExplanationReason.CacheOff;
        if (former is not { LastTurn: { } lastTurn, LastTurnLog: { } lastLog })
            return ExplanationReason.FirstTurn;
        int common = lastLog.CommonPrefix(prompt);
        if (cachedTokens < Expected(lastTurn, common, prompt.Length))
            return lastTurn.Host == hostId ? ExplanationReason.Evicted : ExplanationReason.Restarted;
        return common < lastLog.TokenCount ? ExplanationReason.Edited : ExplanationReason.Appended;
    }

    /// <summary>Tokens that a changed message, an eviction or a restart made the turn compute again.</summary>
    public static int CostFor(ExplanationReason reason, ConversationState? former, TokenLog next, ReadOnlySpan<int> prompt, int cachedTokens)
    {
        if (former?.LastTurnLog is not { } lastLog || reason is ExplanationReason.FirstTurn or ExplanationReason.Appended)
            return 0;
        // Messages that the last turn did not have would have been computed anyhow.
        int oldMessages = Math.Min(lastLog.Messages.Length, next.Messages.Length);
        int oldTokens = reason is ExplanationReason.Edited || lastLog.CommonPrefix(prompt) < lastLog.TokenCount
            ? next.TokenStart(oldMessages)
            : Expected(former.LastTurn!, lastLog.TokenCount, prompt.Length);
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

    private static string AlsoChanged(TurnTrace trace) => trace.Difference is null ? "" : " " + Difference(trace.Difference, trace.CachedTokens);

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
