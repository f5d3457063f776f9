using System.Buffers.Binary;
using KvTiers.Sessions.Serialization;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Storage;

/// <summary>The bytes of one conversation's file: a head, then records. docs/conversation-store.md is the truth.</summary>
/// <remarks>
/// Little-endian. Head: magic (8), generation (16), CRC-32C of both (4). Record: payload length (4), CRC-32C of the length (4), payload,
/// CRC-32C of the payload (4). The length has its own checksum, so a flipped bit in it cannot pass for a torn tail and hide what follows.
/// A file has at most one record that was never acknowledged, its last.
/// </remarks>
internal static class ConversationFile
{
    public const int HeadBytes = 28;

    private const int RecordHeadBytes = 8;
    private const int RecordTailBytes = 4;
    private const int GenerationOffset = 8;
    private const int HeadChecksumOffset = 24;

    private static ReadOnlySpan<byte> Magic => "KVTCONV\u0001"u8;

    /// <summary>A new file that begins with <paramref name="created"/>.</summary>
    public static byte[] Begin(ConversationKey key, ConversationCreated created, Guid generation) =>
        [.. Head(generation), .. KeyRecord(key), .. Record(1, created)];

    /// <summary>A new file that holds <paramref name="state"/> and none of the changes that led to it.</summary>
    public static byte[] Begin(ConversationState state, Guid generation) =>
        [.. Head(generation), .. KeyRecord(state.Key), .. Frame(ConversationRecord.Of(state))];

    /// <summary>The record of one change.</summary>
    public static byte[] Record(long version, ConversationChange change) => Frame(ConversationRecord.Of(version, change));

    /// <summary>The generation in a file's head; null = these bytes are no head.</summary>
    public static Guid? ReadGeneration(ReadOnlySpan<byte> head)
    {
        if (head.Length < HeadBytes
            || !head.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(head[HeadChecksumOffset..]) != Crc32C.Compute(head[..HeadChecksumOffset]))
            return null;
        return new Guid(head[GenerationOffset..HeadChecksumOffset], bigEndian: true);
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="bytes">The file.</param>
    /// <exception cref="ConversationDamagedException">Something acknowledged cannot be read. A file appears whole, so one without a first version is damaged.</exception>
    public static ConversationFileContent Read(string path, ReadOnlySpan<byte> bytes)
    {
        Guid generation = ReadGeneration(bytes) ?? throw new ConversationDamagedException(path, "its head is not that of a conversation file");
        int offset = HeadBytes;
        if (!TryReadRecord(path, bytes, ref offset, out ReadOnlySpan<byte> payload))
            throw new ConversationDamagedException(path, "it ends before its key");
        ConversationKey key = ReadKey(path, payload);
        ConversationState? state = null;
        int valid = offset;
        int firstRecordBytes = 0;
        int records = 0;
        while (TryReadRecord(path, bytes, ref offset, out payload))
        {
            try
            {
                state = ConversationRecord.Apply(key, state, payload);
            }
            catch (FormatException exception)
            {
                throw new ConversationDamagedException(path, $"the record at offset {valid} cannot be read: {exception.Message}", exception);
            }

            records++;
            firstRecordBytes = firstRecordBytes == 0 ? offset - valid : firstRecordBytes;
            valid = offset;
        }

        return state is null
            ? throw new ConversationDamagedException(path, "it ends before its first version")
            : new(state, generation, valid, records, firstRecordBytes);
    }

    private static byte[] Head(Guid generation)
    {
        byte[] head = new byte[HeadBytes];
        Magic.CopyTo(head);
        generation.TryWriteBytes(head.AsSpan(GenerationOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(HeadChecksumOffset), Crc32C.Compute(head.AsSpan(0, HeadChecksumOffset)));
        return head;
    }

    private static byte[] KeyRecord(ConversationKey key)
    {
        var fields = new FieldWriter();
        fields.Field("tenant", key.Tenant);
        fields.Field("id", key.Id);
        return Frame(fields.ToArray());
    }

    private static byte[] Frame(ReadOnlySpan<byte> payload)
    {
        byte[] record = new byte[RecordHeadBytes + payload.Length + RecordTailBytes];
        BinaryPrimitives.WriteInt32LittleEndian(record, payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Crc32C.Compute(record.AsSpan(0, 4)));
        payload.CopyTo(record.AsSpan(RecordHeadBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(RecordHeadBytes + payload.Length), Crc32C.Compute(payload));
        return record;
    }

    private static bool TryReadRecord(string path, ReadOnlySpan<byte> bytes, ref int offset, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        ReadOnlySpan<byte> rest = bytes[offset..];
        if (rest.Length < RecordHeadBytes || IsZero(rest))
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) != Crc32C.Compute(rest[..4]) || length < 0)
            throw new ConversationDamagedException(path, $"the length of the record at offset {offset} has a wrong checksum");
        if (rest.Length < (long)RecordHeadBytes + length + RecordTailBytes)
            return false;
        payload = rest.Slice(RecordHeadBytes, length);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(rest[(RecordHeadBytes + length)..]);
        if (checksum != Crc32C.Compute(payload))
        {
            // After a power cut the file may have its new length before its last bytes: they read as zeros.
            if (checksum == 0 && rest.Length == RecordHeadBytes + length + RecordTailBytes)
                return false;
            throw new ConversationDamagedException(path, $"the record at offset {offset} has a wrong checksum");
        }

        offset += RecordHeadBytes + length + RecordTailBytes;
        return true;
    }

    private static ConversationKey ReadKey(string path, ReadOnlySpan<byte> payload)
    {
        try
        {
            return new FieldReader(payload).Key("tenant", "id");
        }
        catch (FormatException exception)
        {
            throw new ConversationDamagedException(path, $"its key cannot be read: {exception.Message}", exception);
        }
    }

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
