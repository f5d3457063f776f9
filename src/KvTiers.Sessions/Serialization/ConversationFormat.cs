using System.Collections.Immutable;
using KvTiers.Serialization;

namespace KvTiers.Sessions.Serialization;

/// <summary>Conversation changes and states as MessagePack maps: what stores write. docs/conversation-store.md describes every field.</summary>
/// <remarks>A reader passes over fields that it does not know, so fields may be added; what a field means never changes.</remarks>
public static class ConversationFormat
{
    /// <summary>Bytes of one change.</summary>
    /// <exception cref="ArgumentException">A text holds half of a surrogate pair.</exception>
    public static byte[] EncodeChange(ConversationChange change)
    {
        var writer = new FieldWriter();
        writer.Field("at", change.At);
        switch (change)
        {
            case ConversationCreated created:
                writer.Field("kind", "created");
                writer.Field("incarnation", created.Incarnation);
                writer.Field("model", created.Model);
                writer.Field("vocabulary", created.Vocabulary);
                writer.Field("forked_from", created.ForkedFrom);
                writer.Field("messages", created.Messages, WriteMessage);
                writer.Field("turn", created.Turn, WriteTrace);
                break;
            case LogChanged changed:
                writer.Field("kind", "log");
                writer.Field("keep", changed.KeptMessages);
                writer.Field("add", changed.Entries, WriteEntry);
                writer.Field("turn", changed.Turn, WriteTrace);
                writer.Field("model", changed.Model);
                writer.Field("vocabulary", changed.Vocabulary);
                break;
            case ChangeUndone:
                writer.Field("kind", "undone");
                break;
            case PinChanged pin:
                writer.Field("kind", "pin");
                writer.Field("until", pin.Until);
                break;
            default:
                throw new ArgumentException($"A {change.GetType().Name} has no format.", nameof(change));
        }

        return writer.ToArray();
    }

    /// <summary>The change that <see cref="EncodeChange"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not such a change.</exception>
    public static ConversationChange DecodeChange(ReadOnlySpan<byte> bytes)
    {
        var fields = new FieldReader(bytes);
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
                Messages = fields.List("messages", ReadMessage),
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

    /// <summary>Bytes of a whole state, former logs included. Messages that several logs share are written once.</summary>
    public static byte[] EncodeState(ConversationState state)
    {
        var messages = new List<LoggedMessage>();
        var indexes = new Dictionary<LoggedMessage, int>(ReferenceEqualityComparer.Instance);
        int[] Indexes(TokenLog log) => [.. log.Messages.Select(message =>
        {
            if (!indexes.TryGetValue(message, out int index))
            {
                indexes[message] = index = messages.Count;
                messages.Add(message);
            }

            return index;
        })];

        int[] current = Indexes(state.Log);
        ImmutableArray<int[]> undo = [.. state.Undo.Select(Indexes)];
        int[]? lastTurn = state.LastTurnLog is null ? null : Indexes(state.LastTurnLog);
        var writer = new FieldWriter();
        writer.Field("tenant", state.Key.Tenant);
        writer.Field("id", state.Key.Id);
        writer.Field("incarnation", state.Version.Incarnation);
        writer.Field("version", state.Version.Number);
        writer.Field("model", state.Model);
        writer.Field("vocabulary", state.Vocabulary);
        writer.Field("created", state.CreatedAt);
        writer.Field("updated", state.UpdatedAt);
        writer.Field("pinned_until", state.PinnedUntil);
        writer.Field("forked_from", state.ForkedFrom);
        writer.Field("messages", messages, WriteMessage);
        writer.Field("log", current);
        writer.Field("undo", undo, (inner, log) => inner.Write(log));
        writer.Field("turn", state.LastTurn, WriteTrace);
        writer.Field("turn_log", lastTurn);
        return writer.ToArray();
    }

    /// <summary>The state that <see cref="EncodeState"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not such a state.</exception>
    public static ConversationState DecodeState(ReadOnlySpan<byte> bytes)
    {
        var fields = new FieldReader(bytes);
        ImmutableArray<LoggedMessage> messages = fields.List("messages", ReadMessage);
        TokenLog Log(int[] indexes) => new([.. indexes.Select(index => (uint)index < (uint)messages.Length
            ? messages[index]
            : throw new FormatException($"A log refers to message {index} of {messages.Length}."))]);

        int[]? lastTurn = fields.NumbersOrNull("turn_log");
        return new()
        {
            Key = fields.Key("tenant", "id"),
            Version = new(fields.Guid("incarnation"), fields.Int64("version")),
            Model = fields.Text("model"),
            Vocabulary = fields.Text("vocabulary"),
            Log = Log(fields.NumbersOrNull("log") ?? throw new FormatException("The field 'log' is missing.")),
            CreatedAt = fields.Time("created"),
            UpdatedAt = fields.Time("updated"),
            PinnedUntil = fields.TimeOrNull("pinned_until"),
            ForkedFrom = fields.TextOrNull("forked_from"),
            Undo = [.. fields.List("undo", (ref MessagePackReader reader) => reader.ReadInt32Array()).Select(Log)],
            LastTurn = fields.Nested("turn", ReadTrace),
            LastTurnLog = lastTurn is null ? null : Log(lastTurn),
        };
    }

    private static void WriteMessage(MessagePackWriter writer, LoggedMessage message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Role);
        writer.Write(message.Content);
        writer.Write(message.Tokens.AsSpan());
    }

    private static LoggedMessage ReadMessage(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count < 3)
            throw new FormatException($"A message has {count} parts; it must have role, content and tokens.");
        var message = new LoggedMessage(reader.ReadString(), reader.ReadString(), ImmutableArray.Create(reader.ReadInt32Array()));
        for (; count > 3; count--)
            reader.Skip();
        return message;
    }

    private static void WriteEntry(MessagePackWriter writer, LogEntry entry)
    {
        if (entry.Message is null)
            writer.Write(entry.FormerIndex);
        else
            WriteMessage(writer, entry.Message);
    }

    private static LogEntry ReadEntry(ref MessagePackReader reader) => reader.NextIsArray ? new(ReadMessage(ref reader)) : new(reader.ReadInt32());

    private static byte[] WriteTrace(TurnTrace trace)
    {
        var writer = new FieldWriter();
        writer.Field("version", trace.Version);
        writer.Field("host", trace.Host);
        writer.Field("reason", trace.Reason.ToString());
        writer.Field("prompt", trace.PromptTokens);
        writer.Field("cached", trace.CachedTokens);
        writer.Field("left", trace.LeftTokens);
        writer.Field("ttft_ms", trace.TtftMs);
        writer.Field("cost", trace.CostTokens);
        writer.Field("difference", trace.Difference, WriteDifference);
        return writer.ToArray();
    }

    private static TurnTrace ReadTrace(FieldReader fields) => new()
    {
        Version = fields.Int64("version"),
        Host = fields.Text("host"),
        Reason = Enum.TryParse(fields.Text("reason"), out ExplanationReason reason) && Enum.IsDefined(reason)
            ? reason
            : throw new FormatException($"There is no reason '{fields.Text("reason")}'."),
        PromptTokens = fields.Int32("prompt"),
        CachedTokens = fields.Int32("cached"),
        LeftTokens = fields.Int32("left"),
        TtftMs = fields.Double("ttft_ms"),
        CostTokens = fields.Int32("cost"),
        Difference = fields.Nested("difference", ReadDifference),
    };

    private static byte[] WriteDifference(LogDifference difference)
    {
        var writer = new FieldWriter();
        writer.Field("message", difference.MessageIndex);
        writer.Field("role", difference.Role);
        writer.Field("token", difference.TokenOffset);
        writer.Field("character", difference.CharacterOffset);
        writer.Field("old", difference.OldExcerpt);
        writer.Field("new", difference.NewExcerpt);
        return writer.ToArray();
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
