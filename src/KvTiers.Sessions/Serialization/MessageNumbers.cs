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

    private void Add(TokenLog log)
    {
        foreach (LoggedMessage message in log.Messages)
        {
            if (_numbers.TryAdd(message, _messages.Count))
                _messages.Add(message);
        }
    }
}
