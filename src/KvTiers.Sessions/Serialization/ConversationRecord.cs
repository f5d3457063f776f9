using KvTiers.Serialization;

namespace KvTiers.Sessions.Serialization;

/// <summary>What a store keeps one after another: a change or a whole state, with the version that it makes. An array of kind, version, body.</summary>
public static class ConversationRecord
{
    private const int State = 0;
    private const int Change = 1;

    /// <summary>The record of a change.</summary>
    /// <param name="version">The version that the change makes.</param>
    /// <param name="change">The change.</param>
    public static byte[] Of(long version, ConversationChange change) => Write(Change, version, ConversationFormat.EncodeChange(change));

    /// <summary>The record of a state, in place of all changes that led to it.</summary>
    public static byte[] Of(ConversationState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Write(State, state.Version.Number, ConversationFormat.EncodeState(state));
    }

    /// <summary>The state after a record.</summary>
    /// <param name="key">Whose records they are.</param>
    /// <param name="state">The state before; null = the record is the first.</param>
    /// <param name="record">The record.</param>
    /// <exception cref="FormatException">The record cannot be read, or cannot stand here.</exception>
    public static ConversationState Apply(ConversationKey key, ConversationState? state, ReadOnlySpan<byte> record)
    {
        var reader = new MessagePackReader(record);
        if (reader.ReadArrayHeader() != 3)
            throw new FormatException("It does not have three parts.");
        int kind = reader.ReadInt32();
        long version = reader.ReadInt64();
        ReadOnlySpan<byte> body = record[reader.Position..];
        ConversationState next = (kind, state) switch
        {
            (State, null) => ConversationFormat.DecodeState(body),
            (Change, null) => ConversationState.Create(key, ConversationFormat.DecodeChange(body) as ConversationCreated
                ?? throw new FormatException("The first change is not the creation.")),
            (Change, not null) => state.Apply(ConversationFormat.DecodeChange(body)),
            _ => throw new FormatException($"A record of the kind {kind} cannot stand here."),
        };
        if (next.Version.Number != version || next.Key != key)
            throw new FormatException($"It makes version {next.Version.Number} of '{next.Key}', but says version {version} of '{key}'.");
        return next;
    }

    private static byte[] Write(int kind, long version, ReadOnlySpan<byte> body)
    {
        var writer = new MessagePackWriter();
        writer.WriteArrayHeader(3);
        writer.Write(kind);
        writer.Write(version);
        writer.WriteRaw(body);
        return writer.Written.ToArray();
    }
}
