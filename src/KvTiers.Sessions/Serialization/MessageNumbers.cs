using System.Collections.Immutable;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>Every message of a state's logs, once, and its number: the logs are written as numbers.</summary>
internal sealed class MessageNumbers
{
    private readonly Dictionary<LoggedMessage, int> _numbers;
    private readonly List<LoggedMessage> _messages;

    private MessageNumbers(int atLeast)
    {
        _numbers = new(atLeast, ReferenceEqualityComparer.Instance);
        _messages = new(atLeast);
    }

    /// <summary>The messages in the order of their numbers.</summary>
    public IReadOnlyList<LoggedMessage> Messages => _messages;

    public static MessageNumbers Of(ConversationState state)
    {
        var numbers = new MessageNumbers(state.Log.Messages.Length);
        numbers.Add(state.Log);
        foreach (TokenLog log in state.Undo)
            numbers.Add(log);
        if (state.LastTurnLog is not null)
            numbers.Add(state.LastTurnLog);
        return numbers;
    }

    /// <summary>Writes a log as the array of its messages' numbers.</summary>
    public void Write(ref MessagePackWriter writer, TokenLog log)
    {
        writer.WriteArrayHeader(log.Messages.Length);
        foreach (LoggedMessage message in log.Messages)
            writer.Write(_numbers[message]);
    }

    /// <summary>Writes what a log leaves out: where its summary is and of how many messages, then of each message left out its place, its number and the version that left it out. Empty = nothing. <see cref="ReadCut"/> reads it.</summary>
    public void WriteCut(ref MessagePackWriter writer, TokenLog log)
    {
        if (log.Cut is not { } cut)
        {
            writer.WriteArrayHeader(0);
            return;
        }

        writer.WriteArrayHeader(2 + (3 * cut.Dropped.Length));
        writer.Write(cut.SummaryStart);
        writer.Write(cut.SummaryCount);
        foreach (DroppedMessage dropped in cut.Dropped)
        {
            writer.Write(dropped.Index);
            writer.Write(_numbers[dropped.Message]);
            writer.Write(dropped.Version);
        }
    }

    /// <summary>What a log leaves out, as <see cref="WriteCut"/> wrote it.</summary>
    /// <param name="reader">Where it stands.</param>
    /// <param name="messages">The messages in the order of their numbers.</param>
    /// <exception cref="FormatException">It is something else, or refers to a message that is not there.</exception>
    public static LogCut? ReadCut(ref MessagePackReader reader, ImmutableArray<LoggedMessage> messages)
    {
        int parts = reader.ReadArrayHeader();
        if (parts == 0)
            return null;
        if (parts < 5 || (parts - 2) % 3 != 0)
            throw new FormatException($"What a log leaves out has {parts} parts; it must have 2, and 3 for each message.");
        var cut = new LogCut { SummaryStart = reader.ReadInt32(), SummaryCount = reader.ReadInt32(), Dropped = [] };
        ImmutableArray<DroppedMessage>.Builder dropped = ImmutableArray.CreateBuilder<DroppedMessage>((parts - 2) / 3);
        for (int left = (parts - 2) / 3; left > 0; left--)
        {
            int index = reader.ReadInt32();
            int number = reader.ReadInt32();
            if ((uint)number >= (uint)messages.Length)
                throw new FormatException($"A log leaves out message {number} of {messages.Length}.");
            dropped.Add(new(index, messages[number], reader.ReadInt64()));
        }

        return cut with { Dropped = dropped.MoveToImmutable() };
    }

    private void Add(TokenLog log)
    {
        foreach (LoggedMessage message in log.Messages)
            Add(message);
        foreach (DroppedMessage dropped in log.Cut?.Dropped ?? [])
            Add(dropped.Message);
    }

    private void Add(LoggedMessage message)
    {
        if (_numbers.TryAdd(message, _messages.Count))
            _messages.Add(message);
    }
}
