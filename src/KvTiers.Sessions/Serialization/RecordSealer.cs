using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Keys;

namespace KvTiers.Sessions.Serialization;

/// <summary>Authenticates what a conversation store keeps, and may encrypt it: each record for the one place it stands in. docs/conversation-store.md is the truth.</summary>
/// <remarks>
/// A record is sealed under a key of its own, derived with a random salt, and together with its context: whose record it is, and which. So one that was written
/// without the key, changed, or moved from elsewhere is refused. It cannot tell that newer records are missing. Thread-safe.
/// </remarks>
public sealed class RecordSealer
{
    private const int HeadBytes = 24;
    private const int SaltAt = 8;
    private const byte Version = 1;
    private const byte Authenticated = 1;
    private const byte Encrypted = 2;
    private const string Purpose = "KvTiers conversation record 1";

    // No MessagePack and no JSON begins with it, so a record without a seal is told by its first byte.
    private const byte Mark = 0xC1;

    private readonly RecordProtection? _protection;
    private readonly bool _acceptsUnsigned;

    /// <summary>A sealer.</summary>
    /// <param name="protection">The keys, and whether to encrypt; null = records are written as they are, and sealed ones cannot be read.</param>
    /// <param name="acceptsUnsigned">Whether records without a seal are read although there are keys.</param>
    public RecordSealer(RecordProtection? protection, bool acceptsUnsigned = false)
    {
        _protection = protection;
        _acceptsUnsigned = acceptsUnsigned;
    }

    /// <summary>Seals nothing.</summary>
    public static RecordSealer None { get; } = new(null);

    /// <summary>Whether it has keys.</summary>
    public bool Seals => _protection is not null;

    /// <summary>Bytes that name a place: no two lists of parts give the same.</summary>
    public static byte[] ContextOf(params ReadOnlySpan<string> parts)
    {
        var context = new StringBuilder();
        foreach (string part in parts)
            context.Append(part.Length).Append(':').Append(part);
        return Encoding.UTF8.GetBytes(context.ToString());
    }

    /// <summary>Writes a record, sealed if there are keys.</summary>
    /// <param name="output">Where to; when this throws, what it has is no record.</param>
    /// <param name="context">The place the record is for.</param>
    /// <param name="writePayload">Writes what the record holds.</param>
    public void Write(RecordBuffer output, ReadOnlySpan<byte> context, Action<IBufferWriter<byte>> writePayload)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(writePayload);
        if (_protection is null)
        {
            writePayload(output);
            return;
        }

        int start = output.Length;
        WriteHead(output.GetSpan(HeadBytes)[..HeadBytes], _protection);
        output.Advance(HeadBytes);
        writePayload(output);
        _ = output.GetSpan(SealingKey.TagBytes);
        output.Advance(SealingKey.TagBytes);
        Span<byte> record = output.Written[start..], head = record[..HeadBytes];
        Span<byte> payload = record[HeadBytes..^SealingKey.TagBytes], tag = record[^SealingKey.TagBytes..];
        SealingKey key = KeyOf(head, _protection.Keys.Writing);
        if (_protection.Encrypts)
            key.Encrypt(Nonce(1), payload, payload, tag, Bound(head, context, []));
        else
            Authenticate(key, head, context, payload, tag);
    }

    /// <summary>What <see cref="Write"/> writes, as an array.</summary>
    public byte[] Seal(ReadOnlySpan<byte> context, byte[] payload)
    {
        using var buffer = new RecordBuffer();
        Write(buffer, context, output => output.Write(payload));
        return buffer.Written.ToArray();
    }

    /// <summary>What a record holds.</summary>
    /// <param name="record">The record.</param>
    /// <param name="context">The place it was found in.</param>
    /// <param name="isUnsigned">Whether there are keys and it was read although it has no seal.</param>
    /// <returns>A part of the record, or memory of its own.</returns>
    /// <exception cref="FormatException">It was not written for this place by somebody with a key.</exception>
    public ReadOnlyMemory<byte> Open(ReadOnlyMemory<byte> record, ReadOnlySpan<byte> context, out bool isUnsigned)
    {
        ReadOnlySpan<byte> bytes = record.Span;
        bool isSealed = bytes.Length >= HeadBytes + SealingKey.TagBytes && bytes[0] == Mark;
        isUnsigned = !isSealed && Seals;
        if (!isSealed)
        {
            return !isUnsigned || _acceptsUnsigned
                ? record
                : throw new FormatException("It has no authentication code: it was written without a key, by a server that had none or by somebody else (AcceptUnsigned reads such records, and seals them)");
        }

        if (bytes[1] != Version || bytes[2] is not (Authenticated or Encrypted))
            throw new FormatException("Its seal is none that is known.");
        uint id = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        RecordKey secret = _protection?.Keys.Find(id) ?? throw new FormatException($"It is sealed with the key {id:x8}, which is not among the keys for records that this server has.");
        SealingKey key = KeyOf(bytes, secret);
        ReadOnlySpan<byte> head = bytes[..HeadBytes], tag = bytes[^SealingKey.TagBytes..];
        ReadOnlyMemory<byte> payload = record[HeadBytes..^SealingKey.TagBytes];
        if (bytes[2] == Encrypted)
        {
            byte[] plain = GC.AllocateUninitializedArray<byte>(payload.Length);
            return key.TryDecrypt(Nonce(1), payload.Span, plain, tag, Bound(head, context, [])) ? plain : throw NotAuthentic();
        }

        Span<byte> expected = stackalloc byte[SealingKey.TagBytes];
        Authenticate(key, head, context, payload.Span, expected);
        return CryptographicOperations.FixedTimeEquals(expected, tag) ? payload : throw NotAuthentic();
    }

    private static FormatException NotAuthentic() =>
        new("Its authentication code is wrong: it was changed, or written for another place, or by somebody without the key.");

    private static void WriteHead(Span<byte> head, RecordProtection protection)
    {
        head.Clear();
        head[0] = Mark;
        head[1] = Version;
        head[2] = protection.Encrypts ? Encrypted : Authenticated;
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], protection.Keys.Writing.Id);
        RandomNumberGenerator.Fill(head[SaltAt..]);
    }

    // The payload's code, and not the payload, is what is authenticated with its place: so neither has to be copied beside the other.
    private static void Authenticate(SealingKey key, ReadOnlySpan<byte> head, ReadOnlySpan<byte> context, ReadOnlySpan<byte> payload, Span<byte> tag)
    {
        Span<byte> inner = stackalloc byte[SealingKey.TagBytes];
        key.Authenticate(Nonce(1), payload, inner);
        key.Authenticate(Nonce(2), Bound(head, context, inner), tag);
    }

    private static byte[] Bound(ReadOnlySpan<byte> head, ReadOnlySpan<byte> context, ReadOnlySpan<byte> inner) => [.. head, .. context, .. inner];

    private static SealingKey KeyOf(ReadOnlySpan<byte> head, RecordKey secret) => new(secret.Derive(Purpose, head[SaltAt..HeadBytes]), hashesHere: false);

    private static byte[] Nonce(byte number) => [number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
}
