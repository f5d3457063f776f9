using KvTiers.Conversations;
using static System.FormattableString;

namespace KvTiers.Cli.Chat;

/// <summary>What the cache did, in one line.</summary>
internal static class TurnText
{
    public const string CutOff = "cut off at the token limit";

    private const string ContextEnd = "cut off where the context ends";

    /// <summary><c>turn 2: 87 tokens cached, 14 computed, first token in 6 ms</c>.</summary>
    public static string Describe(int turn, TurnCompleted completed)
    {
        TurnUsage usage = completed.Usage;
        string text = Invariant(
            $"turn {turn}: {Count(usage.Cached.Total, "token")} cached{ByTier(usage.Cached)}, {usage.ComputedTokens:N0} computed, first token in {Duration(usage.TtftMs)}");
        return Loss(completed) is { } loss ? $"{text}; {loss}" : text;
    }

    /// <summary>What the answer or its prompt lacks: <c>12 messages left out of the prompt, as the context was full; cut off at the token limit</c>; null = nothing.</summary>
    public static string? Loss(TurnCompleted completed)
    {
        string? cut = completed.Usage.Cut is { } messages ? Describe(messages) : null;
        string? end = completed.FinishReason != "length" ? null : completed.Usage.LimitedBy == "context" ? ContextEnd : CutOff;
        return cut is null || end is null ? cut ?? end : $"{cut}; {end}";
    }

    private static string Describe(ContextCut cut)
    {
        string text = $"{Count(cut.MessagesDropped, "message")} left out of the prompt, as the context was full";
        return cut.Summary is not null ? text + ", and summarized" : cut.SummaryFailure is { } failure ? $"{text} (no summary: {failure})" : text;
    }

    /// <summary><c>27 tokens kept, 40 invalidated; 2 blocks released, 1 still shared</c>.</summary>
    public static string Describe(EditReceipt receipt)
    {
        string text = Invariant($"{Count(receipt.TokensKept, "token")} kept, {receipt.TokensInvalidated:N0} invalidated; {Count(receipt.BlocksReleased, "block")} released");
        return receipt.BlocksShared == 0 ? text : text + Invariant($", {receipt.BlocksShared:N0} still shared");
    }

    /// <summary><c>1 token</c>, <c>1,200 tokens</c>.</summary>
    public static string Count(int count, string noun) => Invariant($"{count:N0} {noun}{(count == 1 ? "" : "s")}");

    private static string ByTier(CachedTokens cached)
    {
        if (cached.Total == cached.Hot)
            return "";
        (int Tokens, string Tier)[] tiers = [(cached.Hot, "hot"), (cached.Ram, "RAM"), (cached.Disk, "disk"), (cached.Redis, "Redis")];
        return $" ({string.Join(", ", tiers.Where(tier => tier.Tokens > 0).Select(tier => Invariant($"{tier.Tokens:N0} {tier.Tier}")))})";
    }

    private static string Duration(double milliseconds) => milliseconds switch
    {
        < 9.95 => Invariant($"{milliseconds:0.#} ms"),
        < 999.5 => Invariant($"{milliseconds:0} ms"),
        _ => Invariant($"{milliseconds / 1000:0.0#} s"),
    };
}
