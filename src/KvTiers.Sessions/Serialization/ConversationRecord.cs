using System.Buffers;
using KvTiers.Conversations;
using KvTiers.Serialization;
using KvTiers.Sessions.Changes;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>A change or a whole state, with the version that it makes. A store keeps one after another. It is an array of kind, version, body.</summary>
public static class ConversationRecord
{
    private const int State = 0;
    private const int Change = 1;

    /// <summary>Writes the record of a change.</summary>
    /// <param name="output">Where to; when this throws, what it has is no record.</param>
    /// <param name="version">The version that the change makes.</param>
    /// <param name="change">The change.</param>
    /// <exception cref="ArgumentException">A text holds half of a surrogate pair.</exception>
    public static void Write(IBufferWriter<byte> output, long version, ConversationChange change)
    {
        WriteHead(output, Change, version);
        ConversationFormat.Write(output, change);
    }

    /// <summary>Writes the record of a state, in place of all changes that led to it.</summary>
    /// <param name="output">Where to; when this throws, what it has is no record.</param>
    /// <param name="state">The state.</param>
    /// <exception cref="ArgumentException">A text holds half of a surrogate pair.</exception>
    public static void Write(IBufferWriter<byte> output, ConversationState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        WriteHead(output, State, state.Version.Number);
        ConversationFormat.Write(output, state);
    }

    /// <summary>The state after a record.</summary>
    /// <param name="key">Whose records they are.</param>
    /// <param name="state">The state before; null = the record is the first.</param>
    /// <param name="record">The record; nothing of it is kept.</param>
    /// <exception cref="FormatException">The record cannot be read, or cannot stand here.</exception>
    public static ConversationState Apply(ConversationKey key, ConversationState? state, ReadOnlyMemory<byte> record)
    {
        (int kind, long version, ReadOnlyMemory<byte> body) = StrictMessagePack.Decode(record, ReadParts);
        ConversationState next = (kind, state) switch
        {
            (State, null) => ConversationFormat.ReadState(body),
            (Change, null) => ConversationState.Create(key, ConversationFormat.ReadChange(body) as ConversationCreated
                ?? throw new FormatException("The first change is not the creation.")),
            (Change, not null) => state.Apply(ConversationFormat.ReadChange(body)),
            _ => throw new FormatException($"A record of the kind {kind} cannot stand here."),
        };
        if (next.Version.Number != version || next.Key != key)
            throw new FormatException($"It makes version {next.Version.Number} of '{next.Key}', but says version {version} of '{key}'.");
        return next;
    }

    private static (int Kind, long Version, ReadOnlyMemory<byte> Body) ReadParts(ref MessagePackReader reader)
    {
        if (reader.ReadArrayHeader() != 3)
            throw new FormatException("It does not have three parts.");
        int kind = reader.ReadInt32();
        long version = reader.ReadInt64();
        return (kind, version, reader.ReadRaw(reader.Sequence.Length - reader.Consumed).First);
    }

    private static void WriteHead(IBufferWriter<byte> output, int kind, long version)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(3);
        writer.Write(kind);
        writer.Write(version);
        writer.Flush();
    }
}
