using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KvTiers.Serialization;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>Conversation changes and states as MessagePack maps: what stores write. docs/conversation-store.md describes every field.</summary>
/// <remarks>A reader passes over fields that it does not know, so fields may be added; what a field means never changes.</remarks>
internal static partial class ConversationFormat
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
                Cut = ReadCut(fields),
                ContextPolicy = ReadPolicy(fields, "context_policy"),
                Turn = fields.Nested("turn", ReadTrace),
            },
            "log" => new LogChanged
            {
                At = at,
                KeptMessages = fields.Int32("keep"),
                Entries = fields.List("add", ReadEntry),
                Cut = ReadCut(fields),
                ContextPolicy = ReadPolicy(fields, "context_policy"),
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
        TokenLog Log(int[] numbers, LogCut? cut)
        {
            var logged = new LoggedMessage[numbers.Length];
            for (int i = 0; i < logged.Length; i++)
            {
                logged[i] = (uint)numbers[i] < (uint)messages.Length
                    ? messages[numbers[i]]
                    : throw new FormatException($"A log refers to message {numbers[i]} of {messages.Length}.");
            }

            cut?.Check(logged.Length);
            return new(ImmutableCollectionsMarshal.AsImmutableArray(logged), cut);
        }

        LogCut? Cut(ref MessagePackReader reader) => MessageNumbers.ReadCut(ref reader, messages);
        ImmutableArray<int[]> undo = fields.List("undo", (ref reader) => reader.ReadNumbers());
        ImmutableArray<LogCut?> undoCuts = fields.ListOrEmpty("undo_cuts", Cut);
        if (undoCuts.Length > undo.Length)
            throw new FormatException($"There are {undo.Length} former logs, and what {undoCuts.Length} leave out.");

        int[]? lastTurn = fields.NumbersOrNull("turn_log");
        return new()
        {
            Key = fields.Key("tenant", "id"),
            Version = new(fields.Guid("incarnation"), fields.Int64("version")),
            Model = fields.Text("model"),
            Vocabulary = fields.Text("vocabulary"),
            Log = Log(fields.Numbers("log"), fields.ValueOrNull("cut", Cut)),
            CreatedAt = fields.Time("created"),
            UpdatedAt = fields.Time("updated"),
            PinnedUntil = fields.TimeOrNull("pinned_until"),
            ForkedFrom = fields.TextOrNull("forked_from"),
            CacheSalt = fields.TextOrNull("cache_salt"),
            ContextPolicy = ReadPolicy(fields, "context_policy"),
            Undo = [.. undo.Select((numbers, i) => Log(numbers, i < undoCuts.Length ? undoCuts[i] : null))],
            LastTurn = fields.Nested("turn", ReadTrace),
            LastTurnLog = lastTurn is null ? null : Log(lastTurn, fields.ValueOrNull("turn_cut", Cut)),
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
                WriteCut(ref fields, created.Cut);
                fields.Field("context_policy", created.ContextPolicy?.ToString());
                fields.Map("turn", created.Turn, WriteTrace);
                break;
            case LogChanged changed:
                fields.Field("kind", "log");
                fields.Field("keep", changed.KeptMessages);
                fields.List("add", changed.Entries, WriteEntry);
                WriteCut(ref fields, changed.Cut);
                fields.Field("context_policy", changed.ContextPolicy?.ToString());
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
        fields.Field("context_policy", state.ContextPolicy?.ToString());
        fields.List("messages", numbers.Messages, MessageFormat.Write);
        fields.Field("log", state.Log, numbers.Write);
        if (state.Log.Cut is not null)
            fields.Field("cut", state.Log, numbers.WriteCut);
        fields.List("undo", state.Undo, numbers.Write);
        if (state.Undo.Any(log => log.Cut is not null))
            fields.List("undo_cuts", state.Undo, numbers.WriteCut);
        fields.Map("turn", state.LastTurn, WriteTrace);
        if (state.LastTurnLog is not null)
            fields.Field("turn_log", state.LastTurnLog, numbers.Write);
        if (state.LastTurnLog?.Cut is not null)
            fields.Field("turn_cut", state.LastTurnLog, numbers.WriteCut);
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
}
