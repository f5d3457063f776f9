using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KvTiers.Conversations;
using KvTiers.Serialization;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>Conversation changes and states as MessagePack maps: what stores write. docs/conversation-store.md describes every field.</summary>
/// <remarks>A reader passes over fields that it does not know, so fields may be added; what a field means never changes.</remarks>
internal static class ConversationFormat
{
    /// <summary>Writes one change.</summary>
    /// <exception cref="ArgumentException">A text holds half of a surrogate pair. What was written till then is no change.</exception>
    public static void Write(IBufferWriter<byte> output, ConversationChange change) => FieldWriter.Write(output, change, WriteChange);

    /// <summary>Writes a whole state, former logs included. Messages that several logs share are written once.</summary>
    /// <exception cref="ArgumentException">A text holds half of a surrogate pair. What was written till then is no state.</exception>
    public static void Write(IBufferWriter<byte> output, ConversationState state) => FieldWriter.Write(output, (state, MessageNumbers.Of(state)), WriteState);

    /// <summary>The change that was written.</summary>
    /// <exception cref="FormatException">The bytes are not such a change.</exception>
    public static ConversationChange ReadChange(ReadOnlyMemory<byte> bytes) => FieldReader.Read(bytes, ReadChange);

    /// <summary>The state that was written.</summary>
    /// <exception cref="FormatException">The bytes are not such a state.</exception>
    public static ConversationState ReadState(ReadOnlyMemory<byte> bytes) => FieldReader.Read(bytes, ReadState);

    private static ConversationChange ReadChange(FieldReader fields)
    {
        DateTimeOffset at = fields.Time("at");
        string kind = fields.Text("kind");
        return kind switch
        {
            "created" => new ConversationCreated
            {
                At = at,
                Incarnation = fields.Guid("incarnation"),
                Model = fields.Text("model"),
                Vocabulary = fields.Text("vocabulary"),
                ForkedFrom = fields.TextOrNull("forked_from"),
                CacheSalt = fields.TextOrNull("cache_salt"),
                Messages = fields.List("messages", MessageFormat.Read),
                Turn = fields.Nested("turn", ReadTrace),
            },
            "log" => new LogChanged
            {
                At = at,
                KeptMessages = fields.Int32("keep"),
                Entries = fields.List("add", ReadEntry),
                Turn = fields.Nested("turn", ReadTrace),
                Model = fields.TextOrNull("model"),
                Vocabulary = fields.TextOrNull("vocabulary"),
            },
            "undone" => new ChangeUndone { At = at },
            "pin" => new PinChanged { At = at, Until = fields.TimeOrNull("until") },
            _ => throw new FormatException($"There is no change of the kind '{kind}'."),
        };
    }

    private static ConversationState ReadState(FieldReader fields)
    {
        ImmutableArray<LoggedMessage> messages = fields.List("messages", MessageFormat.Read);
        TokenLog Log(int[] numbers)
        {
            var logged = new LoggedMessage[numbers.Length];
            for (int i = 0; i < logged.Length; i++)
            {
                logged[i] = (uint)numbers[i] < (uint)messages.Length
                    ? messages[numbers[i]]
                    : throw new FormatException($"A log refers to message {numbers[i]} of {messages.Length}.");
            }

            return new(ImmutableCollectionsMarshal.AsImmutableArray(logged));
        }

        int[]? lastTurn = fields.NumbersOrNull("turn_log");
        return new()
        {
            Key = fields.Key("tenant", "id"),
            Version = new(fields.Guid("incarnation"), fields.Int64("version")),
            Model = fields.Text("model"),
            Vocabulary = fields.Text("vocabulary"),
            Log = Log(fields.Numbers("log")),
            CreatedAt = fields.Time("created"),
            UpdatedAt = fields.Time("updated"),
            PinnedUntil = fields.TimeOrNull("pinned_until"),
            ForkedFrom = fields.TextOrNull("forked_from"),
            CacheSalt = fields.TextOrNull("cache_salt"),
            Undo = fields.List("undo", (ref reader) => Log(reader.ReadNumbers())),
            LastTurn = fields.Nested("turn", ReadTrace),
            LastTurnLog = lastTurn is null ? null : Log(lastTurn),
        };
    }

    private static void WriteChange(ref FieldWriter fields, ConversationChange change)
    {
        fields.Field("at", change.At);
        switch (change)
        {
            case ConversationCreated created:
                fields.Field("kind", "created");
                fields.Field("incarnation", created.Incarnation);
                fields.Field("model", created.Model);
                fields.Field("vocabulary", created.Vocabulary);
                fields.Field("forked_from", created.ForkedFrom);
                fields.Field("cache_salt", created.CacheSalt);
                fields.List("messages", created.Messages, MessageFormat.Write);
                fields.Map("turn", created.Turn, WriteTrace);
                break;
            case LogChanged changed:
                fields.Field("kind", "log");
                fields.Field("keep", changed.KeptMessages);
                fields.List("add", changed.Entries, WriteEntry);
                fields.Map("turn", changed.Turn, WriteTrace);
                fields.Field("model", changed.Model);
                fields.Field("vocabulary", changed.Vocabulary);
                break;
            case ChangeUndone:
                fields.Field("kind", "undone");
                break;
            case PinChanged pin:
                fields.Field("kind", "pin");
                fields.Field("until", pin.Until);
                break;
            default:
                throw new ArgumentException($"A {change.GetType().Name} has no format.", nameof(change));
        }
    }

    private static void WriteState(ref FieldWriter fields, (ConversationState State, MessageNumbers Numbers) written)
    {
        (ConversationState state, MessageNumbers numbers) = written;
        fields.Field("tenant", state.Key.Tenant);
        fields.Field("id", state.Key.Id);
        fields.Field("incarnation", state.Version.Incarnation);
        fields.Field("version", state.Version.Number);
        fields.Field("model", state.Model);
        fields.Field("vocabulary", state.Vocabulary);
        fields.Field("created", state.CreatedAt);
        fields.Field("updated", state.UpdatedAt);
        fields.Field("pinned_until", state.PinnedUntil);
        fields.Field("forked_from", state.ForkedFrom);
        fields.Field("cache_salt", state.CacheSalt);
        fields.List("messages", numbers.Messages, MessageFormat.Write);
        fields.Field("log", state.Log, numbers.Write);
        fields.List("undo", state.Undo, numbers.Write);
        fields.Map("turn", state.LastTurn, WriteTrace);
        if (state.LastTurnLog is not null)
            fields.Field("turn_log", state.LastTurnLog, numbers.Write);
    }

    private static void WriteEntry(ref MessagePackWriter writer, LogEntry entry)
    {
        if (entry.Message is null)
            writer.Write(entry.FormerIndex);
        else
            MessageFormat.Write(ref writer, entry.Message);
    }

    private static LogEntry ReadEntry(ref MessagePackReader reader) =>
        reader.NextMessagePackType == MessagePackType.Array ? new(MessageFormat.Read(ref reader)) : new(reader.ReadInt32());

    private static void WriteTrace(ref FieldWriter fields, TurnTrace trace)
    {
        fields.Field("version", trace.Version);
        fields.Field("host", trace.Host);
        fields.Field("reason", trace.Reason.ToString());
        fields.Field("prompt", trace.PromptTokens);
        fields.Field("cached", trace.CachedTokens);
        fields.Field("left", trace.LeftTokens);
        fields.Field("ttft_ms", trace.TtftMs);
        fields.Field("cost", trace.CostTokens);
        fields.Map("difference", trace.Difference, WriteDifference);
        if (trace.CompletionTokens is { } completion)
            fields.Field("completion", completion);
        fields.Field("finish", trace.FinishReason);
        fields.Field("note", trace.Note);
    }

    private static TurnTrace ReadTrace(FieldReader fields) => new()
    {
        Version = fields.Int64("version"),
        Host = fields.Text("host"),
        Reason = fields.Text("reason") is var name && Enum.TryParse(name, out ExplanationReason reason) && Enum.IsDefined(reason)
            ? reason
            : throw new FormatException($"There is no reason '{name}'."),
        PromptTokens = fields.Int32("prompt"),
        CachedTokens = fields.Int32("cached"),
        LeftTokens = fields.Int32("left"),
        TtftMs = fields.Double("ttft_ms"),
        CostTokens = fields.Int32("cost"),
        Difference = fields.Nested("difference", ReadDifference),
        CompletionTokens = fields.Int32OrNull("completion"),
        FinishReason = fields.TextOrNull("finish"),
        Note = fields.TextOrNull("note"),
    };

    private static void WriteDifference(ref FieldWriter fields, LogDifference difference)
    {
        fields.Field("message", difference.MessageIndex);
        fields.Field("role", difference.Role);
        fields.Field("token", difference.TokenOffset);
        fields.Field("character", difference.CharacterOffset);
        fields.Field("old", difference.OldExcerpt);
        fields.Field("new", difference.NewExcerpt);
    }

    private static LogDifference ReadDifference(FieldReader fields) => new()
    {
        MessageIndex = fields.Int32("message"),
        Role = fields.Text("role"),
        TokenOffset = fields.Int32("token"),
        CharacterOffset = fields.Int32("character"),
        OldExcerpt = fields.Text("old"),
        NewExcerpt = fields.Text("new"),
    };
}
