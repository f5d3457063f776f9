using System.Buffers;
using System.Buffers.Binary;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Serialization;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <content>A conversation's records: sealed for their place, read one after another, and replaced by the state that they make.</content>
public sealed partial class RedisConversationStore
{
    private async ValueTask<(ConversationState State, bool HasUnsigned)?> ReadStoredAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        HashEntry[] entries = await OnConversationAsync(key, () => Database.HashGetAllAsync(KeyOf(key)), cancellationToken).ConfigureAwait(false);
        if (entries.Length == 0)
            return null;
        _tenants[key.Tenant] = true;
        Dictionary<string, RedisValue> fields = entries.ToDictionary(entry => entry.Name.ToString(), entry => entry.Value, StringComparer.Ordinal);
        ConversationVersion version = VersionOf(key, fields.GetValueOrDefault("i"), fields.GetValueOrDefault("n")) ?? throw Damaged(key, "it has no version");
        if (!fields.GetValueOrDefault("f").TryParse(out long first) || first < 1 || version.Number - first >= fields.Count)
            throw Damaged(key, "the number of its first record cannot be read, or records are missing");
        ConversationState? state = null;
        bool hasUnsigned = false;
        for (long number = first; number <= version.Number; number++)
        {
            try
            {
                ReadOnlyMemory<byte> record = Unwrap(fields.TryGetValue($"{number}", out RedisValue value) ? value : RedisValue.Null);
                record = Sealer.Open(record, PlaceOf(key, version.Incarnation, number), out bool isUnsigned);
                hasUnsigned |= isUnsigned;
                state = ConversationRecord.Apply(key, state, record);
            }
            catch (FormatException exception)
            {
                throw Damaged(key, $"record {number} cannot be read: {exception.Message}", exception);
            }
        }

        return state?.Version == version ? (state, hasUnsigned) : throw Damaged(key, "its records make another version than it says");
    }

    private async ValueTask CompactAsync(ConversationKey key)
    {
        try
        {
            if (await ReadStoredAsync(key, CancellationToken.None).ConfigureAwait(false) is (ConversationState state, _))
                await CompactAsync(state).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The change is stored. Compaction only saves room, and is tried again at the next one.
        }
    }

    /// <summary>The state takes the place of the records that led to it, sealed if there are keys. What does not work is tried again at the next read or change.</summary>
    private async ValueTask CompactAsync(ConversationState state)
    {
        (ConversationKey key, (Guid incarnation, long number)) = (state.Key, state.Version);
        try
        {
            byte[] record = Wrap(Guid.NewGuid().ToByteArray(), PlaceOf(key, incarnation, number), buffer => ConversationRecord.Write(buffer, state));
            RedisValue[] arguments = [Bytes(incarnation), number, record];
            await CallAsync(() => Database.ScriptEvaluateAsync(ConversationScripts.Compact, [KeyOf(key)], arguments), CancellationToken.None).ConfigureAwait(false);

            // The set of ids may have lost it, if its node has lost what it acknowledged.
            await ListIdAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The state is stored as it was.
        }
    }

    /// <summary>Nonce, payload (sealed if there are keys), CRC-32C of both.</summary>
    private byte[] Wrap(byte[] nonce, byte[] place, Action<IBufferWriter<byte>> writePayload)
    {
        using var record = new RecordBuffer();
        record.Write(nonce);
        Sealer.Write(record, place, writePayload);
        uint checksum = Crc32C.Compute(record.Written);
        BinaryPrimitives.WriteUInt32LittleEndian(record.GetSpan(ChecksumBytes), checksum);
        record.Advance(ChecksumBytes);

        // A copy, and not the pool's memory: a call that is given up at its deadline may still be on its way.
        return record.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> Unwrap(RedisValue value)
    {
        if (value.IsNull)
            throw new FormatException("It is not there.");
        ReadOnlyMemory<byte> record = value;
        if (record.Length < NonceBytes + ChecksumBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(record.Span[^ChecksumBytes..]) != Crc32C.Compute(record.Span[..^ChecksumBytes]))
            throw new FormatException("It has a wrong checksum.");
        return record[NonceBytes..^ChecksumBytes];
    }

    // No other record ever had the same place, unless an older state of the conversation was put back from outside.
    private static byte[] PlaceOf(ConversationKey key, Guid incarnation, long number) =>
        RecordSealer.ContextOf("redis", key.Tenant, key.Id, $"{incarnation:n}", $"{number}");

    private static byte[] Bytes(Guid incarnation) => incarnation.ToByteArray(bigEndian: true);

    private static ConversationDamagedException Damaged(ConversationKey key, string reason, Exception? inner = null) => new(key.ToString(), reason, inner);

    private static ConversationVersion? VersionOf(ConversationKey key, RedisValue incarnation, RedisValue number)
    {
        if (incarnation.IsNull && number.IsNull)
            return null;
        byte[]? bytes = incarnation;
        if (bytes is not { Length: 16 } || !number.TryParse(out long value))
            throw Damaged(key, "its version cannot be read");
        return new(new Guid(bytes, bigEndian: true), value);
    }
}
