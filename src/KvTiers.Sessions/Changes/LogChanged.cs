using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Changes;

/// <summary>The log became another one: by a turn, an edit, a truncation or a regeneration. Can be undone.</summary>
public sealed record LogChanged : ConversationChange
{
    /// <summary>How many leading messages stay as they are.</summary>
    public required int KeptMessages { get; init; }

    /// <summary>What follows them.</summary>
    public required ImmutableArray<LogEntry> Entries { get; init; }

    /// <summary>What the log leaves out now; null = the same as before.</summary>
    public LogCutChange? Cut { get; init; }

    /// <summary>What is done when the conversation outgrows the context, when that is something else now; else null.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>The turn that did it; null = nothing was generated.</summary>
    public TurnTrace? Turn { get; init; }

    /// <summary>The model's name, when it is another one now; else null.</summary>
    public string? Model { get; init; }

    /// <summary>The vocabulary's fingerprint, when it is another one now; else null. Former logs cannot be undone to then.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>The change that makes <paramref name="next"/> out of <paramref name="former"/>. Messages that both share are not repeated.</summary>
    public static LogChanged Between(TokenLog former, TokenLog next, DateTimeOffset at)
    {
        int kept = 0;
        while (kept < former.Messages.Length && kept < next.Messages.Length && ReferenceEquals(former.Messages[kept], next.Messages[kept]))
            kept++;
        ImmutableArray<LogEntry>.Builder entries = ImmutableArray.CreateBuilder<LogEntry>();
        for (int i = kept; i < next.Messages.Length; i++)
        {
            int known = former.Messages.IndexOf(next.Messages[i], ReferenceEqualityComparer.Instance);
            entries.Add(known >= 0 ? new(known) : new(next.Messages[i]));
        }
        return new() { At = at, KeptMessages = kept, Entries = entries.ToImmutable(), Cut = LogCutChange.Between(former, next) };
    }

    /// <summary>The log that this change makes out of <paramref name="former"/>.</summary>
    /// <exception cref="FormatException">It refers to a message that is not there.</exception>
    public TokenLog ApplyTo(TokenLog former)
    {
        if ((uint)KeptMessages > (uint)former.Messages.Length)
            throw new FormatException($"The change keeps {KeptMessages} messages of {former.Messages.Length}.");
        ImmutableArray<LoggedMessage>.Builder messages = ImmutableArray.CreateBuilder<LoggedMessage>(KeptMessages + Entries.Length);
        messages.AddRange(former.Messages.AsSpan()[..KeptMessages]);
        foreach (LogEntry entry in Entries)
            messages.Add(entry.Resolve(former.Messages));
        return new(messages.ToImmutable(), Cut is null ? former.Cut : Cut.ApplyTo(former, messages.Count));
    }
}
