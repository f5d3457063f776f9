using System.Collections.Immutable;

namespace KvTiers.Sessions.Log;

/// <summary>A message of a changed log: a new one, or one of the former log.</summary>
public readonly record struct LogEntry
{
    /// <summary>A new message.</summary>
    public LogEntry(LoggedMessage message) => Message = message;

    /// <summary>The message at <paramref name="formerIndex"/> of the former log.</summary>
    public LogEntry(int formerIndex) => FormerIndex = formerIndex;

    /// <summary>The new message; null = one of the former log.</summary>
    public LoggedMessage? Message { get; }

    /// <summary>Index in the former log, when <see cref="Message"/> is null.</summary>
    public int FormerIndex { get; }

    internal LoggedMessage Resolve(ImmutableArray<LoggedMessage> former)
    {
        if (Message is not null)
            return Message;
        if ((uint)FormerIndex >= (uint)former.Length)
            throw new FormatException($"The change refers to message {FormerIndex} of {former.Length}.");
        return former[FormerIndex];
    }
}
