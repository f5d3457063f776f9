using System.Collections.Immutable;

namespace KvTiers.Sessions.Log;

/// <summary>What a changed log leaves out, written by reference to the former log.</summary>
public sealed record LogCutChange
{
    /// <summary>What is left out; empty = nothing is any more.</summary>
    public required ImmutableArray<DroppedEntry> Dropped { get; init; }

    /// <summary>Index in the log of the first message of the summary.</summary>
    public int SummaryStart { get; init; }

    /// <summary>Messages of the summary; 0 = there is none.</summary>
    public int SummaryCount { get; init; }

    /// <summary>What makes the cut of <paramref name="next"/> out of <paramref name="former"/>; null = it is the same.</summary>
    public static LogCutChange? Between(TokenLog former, TokenLog next)
    {
        if (LogCut.AreSame(former.Cut, next.Cut))
            return null;
        if (next.Cut is not { } cut)
            return new() { Dropped = [] };
        ImmutableArray<LoggedMessage> known = former.History;
        return new()
        {
            Dropped = [.. cut.Dropped.Select(one => new DroppedEntry(one.Index, Entry(one), one.Version))],
            SummaryStart = cut.SummaryStart,
            SummaryCount = cut.SummaryCount,
        };

        LogEntry Entry(DroppedMessage one)
        {
            int at = one.Index < known.Length && ReferenceEquals(known[one.Index], one.Message) ? one.Index : known.IndexOf(one.Message, ReferenceEqualityComparer.Instance);
            return at >= 0 ? new(at) : new(one.Message);
        }
    }

    /// <summary>The cut that this makes of a log of <paramref name="messageCount"/> messages.</summary>
    /// <exception cref="FormatException">It refers to a message that is not there, or its parts do not fit each other.</exception>
    public LogCut? ApplyTo(TokenLog former, int messageCount)
    {
        if (Dropped.IsEmpty)
            return null;
        ImmutableArray<LoggedMessage> known = former.History;
        var cut = new LogCut
        {
            Dropped = [.. Dropped.Select(one => new DroppedMessage(one.Index, one.Entry.Resolve(known), one.Version))],
            SummaryStart = SummaryStart,
            SummaryCount = SummaryCount,
        };
        cut.Check(messageCount);
        return cut;
    }
}
