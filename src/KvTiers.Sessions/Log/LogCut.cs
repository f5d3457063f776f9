using System.Collections.Immutable;

namespace KvTiers.Sessions.Log;

/// <summary>What a log has no longer, because the context was full, and the summary that stands in its place.</summary>
public sealed record LogCut
{
    /// <summary>The messages left out, by their place in the conversation; at least one.</summary>
    public required ImmutableArray<DroppedMessage> Dropped { get; init; }

    /// <summary>Index in the log of the first message of the summary.</summary>
    public int SummaryStart { get; init; }

    /// <summary>Messages of the summary, which are no messages of the conversation: the request for it and the summary itself; 0 = there is none.</summary>
    public int SummaryCount { get; init; }

    /// <summary>Index in the log behind the summary.</summary>
    public int SummaryEnd => SummaryStart + SummaryCount;

    /// <summary>Checks that the parts fit a log of <paramref name="messageCount"/> messages.</summary>
    /// <exception cref="FormatException">They do not.</exception>
    public void Check(int messageCount)
    {
        int total = messageCount - SummaryCount + Dropped.Length;
        if (SummaryStart < 0 || SummaryCount < 0 || (long)SummaryStart + SummaryCount > messageCount)
            throw new FormatException($"A summary of {SummaryCount} messages at {SummaryStart} does not fit a log of {messageCount}.");
        for (int i = 0; i < Dropped.Length; i++)
        {
            if (Dropped[i].Index < 0 || Dropped[i].Index >= total || (i > 0 && Dropped[i].Index <= Dropped[i - 1].Index))
                throw new FormatException($"The message {Dropped[i].Index} cannot be left out of {total}, after {(i == 0 ? "none" : Dropped[i - 1].Index)}.");
        }
    }

    /// <summary>Whether both leave out the same, and have their summary at the same place.</summary>
    public static bool AreSame(LogCut? one, LogCut? other)
    {
        if (one is null || other is null || ReferenceEquals(one, other))
            return ReferenceEquals(one, other);
        if (one.SummaryStart != other.SummaryStart || one.SummaryCount != other.SummaryCount || one.Dropped.Length != other.Dropped.Length)
            return false;
        for (int i = 0; i < one.Dropped.Length; i++)
        {
            if (one.Dropped[i].Index != other.Dropped[i].Index || !one.Dropped[i].Message.SameAs(other.Dropped[i].Message))
                return false;
        }

        return true;
    }
}
