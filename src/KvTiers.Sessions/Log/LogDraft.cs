using KvTiers.Conversations;

namespace KvTiers.Sessions.Log;

/// <summary>A log that is to be encoded.</summary>
/// <param name="Messages">What it is to say.</param>
/// <param name="Known">[messages or fewer] The logged message that may stand for each; null = none may.</param>
/// <param name="Verbatim">
/// Leading messages that keep the tokens they had. Behind them others go before than when they were logged, and a template may write them otherwise; only answers
/// keep their tokens there, which are the model's own.
/// </param>
/// <param name="Cut">What it is to leave out; null = nothing.</param>
internal sealed record LogDraft(IReadOnlyList<ChatMessage> Messages, IReadOnlyList<LoggedMessage?> Known, int Verbatim, LogCut? Cut)
{
    /// <summary><paramref name="messages"/>, whose leading ones <paramref name="known"/> may have at the same place.</summary>
    public static LogDraft After(TokenLog known, IReadOnlyList<ChatMessage> messages) => new(messages, known.Messages, int.MaxValue, known.Cut);

    /// <summary>The log without the messages that are not kept.</summary>
    /// <param name="log">What is cut.</param>
    /// <param name="kept">[log's messages] Which of them stay; at least one does not.</param>
    /// <param name="version">The version that leaves them out.</param>
    public static LogDraft Without(TokenLog log, ReadOnlySpan<bool> kept, long version)
    {
        List<DroppedMessage> dropped = [.. log.Cut?.Dropped ?? []];
        List<LoggedMessage> left = [];
        int summaryStart = 0;
        int summaryCount = 0;
        for (int place = 0; place < kept.Length; place++)
        {
            bool isSummary = log.Cut is { } cut && place >= cut.SummaryStart && place < cut.SummaryEnd;
            if (kept[place] && isSummary && summaryCount++ == 0)
                summaryStart = left.Count;
            if (kept[place])
                left.Add(log.Messages[place]);
            else if (!isSummary)
                dropped.Add(new(log.IndexOf(place), log.Messages[place], version));
        }

        return new([.. left.Select(message => message.ToChatMessage())], left, kept.IndexOf(false), new()
        {
            Dropped = [.. dropped.OrderBy(one => one.Index)],
            SummaryStart = summaryStart,
            SummaryCount = summaryCount,
        });
    }

    /// <summary>The log with a summary where the first message that it leaves out would stand.</summary>
    public static LogDraft WithSummary(TokenLog log, ChatMessage request, LoggedMessage summary)
    {
        LogCut cut = log.Cut!;
        int at = cut.Dropped[0].Index;
        List<LoggedMessage?> known = [.. log.Messages[..at], null, summary, .. log.Messages[at..]];
        List<ChatMessage> messages = [.. known.Select(message => message?.ToChatMessage() ?? request)];
        return new(messages, known, at, cut with { SummaryStart = at, SummaryCount = 2 });
    }
}
