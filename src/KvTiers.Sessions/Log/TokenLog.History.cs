using System.Collections.Immutable;

namespace KvTiers.Sessions.Log;

/// <content>All messages of the conversation, those that prompts leave out included.</content>
public sealed partial class TokenLog
{
    /// <summary>Messages of the conversation.</summary>
    public int HistoryCount => Cut is null ? Messages.Length : Messages.Length - Cut.SummaryCount + Cut.Dropped.Length;

    /// <summary>All messages of the conversation in order. The summary is none of them.</summary>
    public ImmutableArray<LoggedMessage> History
    {
        get
        {
            if (Cut is null)
                return Messages;
            ImmutableArray<LoggedMessage>.Builder history = ImmutableArray.CreateBuilder<LoggedMessage>(HistoryCount);
            for (int i = 0; i < HistoryCount; i++)
                history.Add(DroppedAt(i)?.Message ?? Messages[PlaceOf(i)]);
            return history.MoveToImmutable();
        }
    }

    /// <summary>The message at <paramref name="index"/> of the conversation as one that prompts leave out; null = they have it.</summary>
    public DroppedMessage? DroppedAt(int index)
    {
        int at = DroppedBefore(index);
        return Cut is not null && at < Cut.Dropped.Length && Cut.Dropped[at].Index == index ? Cut.Dropped[at] : null;
    }

    /// <summary>Where the message at <paramref name="index"/> of the conversation stands in this log; of one that prompts leave out, where it would stand.</summary>
    public int PlaceOf(int index)
    {
        int place = index - DroppedBefore(index);
        return Cut is { SummaryCount: > 0 } && place >= Cut.SummaryStart && DroppedAt(index) is null ? place + Cut.SummaryCount : place;
    }

    /// <summary>Index in the conversation of the message at <paramref name="place"/> of this log; of a summary's, that of the first message that it stands for.</summary>
    public int IndexOf(int place)
    {
        if (Cut is null)
            return place;
        if (place >= Cut.SummaryStart && place < Cut.SummaryEnd)
            return Cut.Dropped[0].Index;
        int index = place < Cut.SummaryEnd ? place : place - Cut.SummaryCount;
        foreach (DroppedMessage dropped in Cut.Dropped)
        {
            if (dropped.Index <= index)
                index++;
        }

        return index;
    }

    /// <summary>The conversation's first <paramref name="count"/> messages. What prompts leave out stays out while a message behind it stays; else the log has all.</summary>
    public TokenLog Take(int count)
    {
        if (count == HistoryCount)
            return this;
        if (Cut is null)
            return new(Messages[..count]);
        return count > Cut.Dropped[^1].Index + 1 ? new(Messages[..PlaceOf(count)], Cut) : new(History[..count]);
    }

    private int DroppedBefore(int index)
    {
        if (Cut is null)
            return 0;
        int low = 0;
        int high = Cut.Dropped.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Cut.Dropped[middle].Index < index)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
