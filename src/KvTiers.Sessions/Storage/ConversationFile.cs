using System.Buffers.Binary;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
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

    /// <summary>Writes a new file that begins with <paramref name="created"/>.</summary>
    public static void Begin(RecordBuffer file, ConversationKey key, ConversationCreated created, Guid generation, RecordSealer? sealer = null)
    {
        WriteStart(file, key, generation);
        Write(file, new(key, generation, 0), 1, created, sealer);
    }

    /// <summary>Writes a new file that holds <paramref name="state"/> and none of the changes that led to it.</summary>
    public static void Begin(RecordBuffer file, ConversationState state, Guid generation, RecordSealer? sealer = null)
    {
        WriteStart(file, state.Key, generation);
        int start = BeginRecord(file);
        (sealer ?? RecordSealer.None).Write(file, new RecordPlace(state.Key, generation, 0).Context, output => ConversationRecord.Write(output, state));
        EndRecord(file, start);
    }

    /// <summary>Writes the record of one change.</summary>
    public static void Write(RecordBuffer file, RecordPlace place, long version, ConversationChange change, RecordSealer? sealer = null)
    {
        int start = BeginRecord(file);
        (sealer ?? RecordSealer.None).Write(file, place.Context, output => ConversationRecord.Write(output, version, change));
        EndRecord(file, start);
    }

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
    /// <param name="bytes">The file; nothing of it is kept.</param>
    /// <param name="sealer">Opens its records.</param>
    /// <exception cref="ConversationDamagedException">Something acknowledged cannot be read. A file appears whole, so one without a first version is damaged.</exception>
    public static ConversationFileContent Read(string path, ReadOnlyMemory<byte> bytes, RecordSealer? sealer = null)
    {
        Guid generation = ReadGeneration(bytes.Span) ?? throw new ConversationDamagedException(path, "its head is not that of a conversation file");
        int offset = HeadBytes;
        if (!TryReadRecord(path, bytes, ref offset, out ReadOnlyMemory<byte> payload))
            throw new ConversationDamagedException(path, "it ends before its key");
        ConversationKey key = ReadKey(path, payload);
        ConversationState? state = null;
        int valid = offset;
        int firstRecordBytes = 0;
        int records = 0;
        bool hasUnsigned = false;
        while (TryReadRecord(path, bytes, ref offset, out payload))
        {
            try
            {
                payload = (sealer ?? RecordSealer.None).Open(payload, new RecordPlace(key, generation, records).Context, out bool isUnsigned);
                hasUnsigned |= isUnsigned;
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
            : new(state, generation, valid, records, firstRecordBytes, hasUnsigned);
    }

    private static void WriteStart(RecordBuffer file, ConversationKey key, Guid generation)
    {
        Span<byte> head = file.GetSpan(HeadBytes)[..HeadBytes];
        Magic.CopyTo(head);
        generation.TryWriteBytes(head[GenerationOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(head[HeadChecksumOffset..], Crc32C.Compute(head[..HeadChecksumOffset]));
        file.Advance(HeadBytes);

        int start = BeginRecord(file);
        FieldWriter.Write(file, key, static (ref fields, key) =>
        {
            fields.Field("tenant", key.Tenant);
            fields.Field("id", key.Id);
        });
        EndRecord(file, start);
    }

    /// <summary>Leaves room for a record's head; its payload is what is written until <see cref="EndRecord"/>.</summary>
    private static int BeginRecord(RecordBuffer file)
    {
        _ = file.GetSpan(RecordHeadBytes);
        file.Advance(RecordHeadBytes);
        return file.Length;
    }

    private static void EndRecord(RecordBuffer file, int start)
    {
        Span<byte> head = file.Written[(start - RecordHeadBytes)..start];
        BinaryPrimitives.WriteInt32LittleEndian(head, file.Length - start);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], Crc32C.Compute(head[..4]));
        uint checksum = Crc32C.Compute(file.Written[start..]);
        BinaryPrimitives.WriteUInt32LittleEndian(file.GetSpan(RecordTailBytes), checksum);
        file.Advance(RecordTailBytes);
    }

    private static bool TryReadRecord(string path, ReadOnlyMemory<byte> bytes, ref int offset, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        ReadOnlySpan<byte> rest = bytes.Span[offset..];
        if (rest.Length < RecordHeadBytes || IsZero(rest))
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) != Crc32C.Compute(rest[..4]) || length < 0)
            throw new ConversationDamagedException(path, $"the length of the record at offset {offset} has a wrong checksum");
        if (rest.Length < (long)RecordHeadBytes + length + RecordTailBytes)
            return false;
        payload = bytes.Slice(offset + RecordHeadBytes, length);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(rest[(RecordHeadBytes + length)..]);
        if (checksum != Crc32C.Compute(payload.Span))
        {
            // After a power cut the file may have its new length before its last bytes: they read as zeros.
            if (checksum == 0 && rest.Length == RecordHeadBytes + length + RecordTailBytes)
                return false;
            throw new ConversationDamagedException(path, $"the record at offset {offset} has a wrong checksum");
        }

        offset += RecordHeadBytes + length + RecordTailBytes;
        return true;
    }

    private static ConversationKey ReadKey(string path, ReadOnlyMemory<byte> payload)
    {
        try
        {
            return FieldReader.Read(payload, static fields => fields.Key("tenant", "id"));
        }
        catch (FormatException exception)
        {
            throw new ConversationDamagedException(path, $"its key cannot be read: {exception.Message}", exception);
        }
    }

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
