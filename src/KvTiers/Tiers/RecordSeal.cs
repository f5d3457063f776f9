using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using KvTiers.Keys;

namespace KvTiers.Tiers;

/// <summary>Authenticates, and may encrypt, the records of one tier. <c>docs/block-format.md</c> says which bytes are what.</summary>
/// <remarks>
/// Each seal writes under a key of its own, derived with a random salt, and counts its records: so no nonce comes twice, however many processes have one
/// <see cref="RecordKey"/>. Payload and header have a code each, and the header's covers the payload's; so a payload may lie elsewhere than its header, and a
/// header can be believed before the payload is read. Thread-safe.
/// </remarks>
internal sealed class RecordSeal
{
    public const byte None = 0;
    public const byte Authenticated = 1;
    public const byte Encrypted = 2;

    /// <summary>Bytes of a header that are checked.</summary>
    public const int HeaderBytes = PayloadTagAt + (2 * SealingKey.TagBytes);

    private const string Purpose = "KvTiers block record 2";
    private const int ProtectionAt = 80;
    private const int KeyAt = 84;
    private const int SaltAt = 88;
    private const int SaltBytes = 16;
    private const int CounterAt = 104;
    private const int PayloadTagAt = 128;
    private const int HeaderTagAt = PayloadTagAt + SealingKey.TagBytes;
    private const int PayloadPart = 1;
    private const int HeaderPart = 2;

    // A writer has one salt for as long as it lives. More are forgeries, or writers that have ended.
    private const int MostKeys = 1024;

    private readonly RecordProtection _protection;
    private readonly ConcurrentDictionary<(uint Key, UInt128 Salt), SealingKey> _known = [];
    private readonly byte[] _salt;
    private readonly SealingKey _own;
    private long _counter;

    /// <param name="protection">The keys, and whether to encrypt.</param>
    /// <param name="salt">Null for a new one.</param>
    /// <param name="counter">The number of the first record.</param>
    public RecordSeal(RecordProtection protection, byte[]? salt = null, long counter = 0)
    {
        _protection = protection;
        _salt = salt ?? RandomNumberGenerator.GetBytes(SaltBytes);
        _counter = counter - 1;
        _own = new SealingKey(protection.Keys.Writing.Derive(Purpose, _salt));
    }

    public bool Encrypts => _protection.Encrypts;

    /// <summary>What is done to a record, by its header: one of the constants.</summary>
    public static byte ProtectionOf(ReadOnlySpan<byte> header) => header[ProtectionAt];

    /// <summary>Says in a header what is to be done to its record, and with which key and nonce: each call takes a nonce.</summary>
    public void Mark(Span<byte> header)
    {
        header[ProtectionAt] = Encrypts ? Encrypted : Authenticated;
        BinaryPrimitives.WriteUInt32LittleEndian(header[KeyAt..], _protection.Keys.Writing.Id);
        _salt.CopyTo(header[SaltAt..]);
        BinaryPrimitives.WriteInt64LittleEndian(header[CounterAt..], Interlocked.Increment(ref _counter));
    }

    /// <summary>Authenticates a record, and encrypts its payload if records are to be.</summary>
    /// <param name="header">Marked, and whole but for the codes.</param>
    /// <param name="payload">The encoded block.</param>
    /// <param name="stored">Takes the encrypted one; may be the same bytes. Not used unless records are to be encrypted.</param>
    public void Seal(Span<byte> header, ReadOnlySpan<byte> payload, Span<byte> stored)
    {
        Span<byte> nonce = stackalloc byte[SealingKey.NonceBytes];
        SetNonce(nonce, header, PayloadPart);
        Span<byte> payloadTag = header.Slice(PayloadTagAt, SealingKey.TagBytes);
        if (Encrypts)
            _own.Encrypt(nonce, payload, stored, payloadTag);
        else
            _own.Authenticate(nonce, payload, payloadTag);
        SetNonce(nonce, header, HeaderPart);
        _own.Authenticate(nonce, header[..HeaderTagAt], header.Slice(HeaderTagAt, SealingKey.TagBytes));
    }

    /// <summary>Whether a header is what somebody with a key wrote.</summary>
    public RecordFault Check(ReadOnlySpan<byte> header)
    {
        if (ProtectionOf(header) is not (Authenticated or Encrypted))
            return RecordFault.Unauthentic;
        if (KeyOf(header) is not { } key)
            return RecordFault.OtherKey;
        Span<byte> nonce = stackalloc byte[SealingKey.NonceBytes];
        SetNonce(nonce, header, HeaderPart);
        return key.IsAuthentic(nonce, header[..HeaderTagAt], header.Slice(HeaderTagAt, SealingKey.TagBytes)) ? RecordFault.None : RecordFault.Unauthentic;
    }

    /// <summary>Checks a payload against its header, which is sound, and decrypts it if it is encrypted.</summary>
    /// <param name="header">The header.</param>
    /// <param name="stored">The payload as it is stored.</param>
    /// <param name="payload">Takes the encoded block where it was encrypted; may be the same bytes.</param>
    public bool TryOpen(ReadOnlySpan<byte> header, ReadOnlySpan<byte> stored, Span<byte> payload)
    {
        SealingKey key = KeyOf(header)!;
        Span<byte> nonce = stackalloc byte[SealingKey.NonceBytes];
        SetNonce(nonce, header, PayloadPart);
        ReadOnlySpan<byte> tag = header.Slice(PayloadTagAt, SealingKey.TagBytes);
        return ProtectionOf(header) == Encrypted ? key.TryDecrypt(nonce, stored, payload, tag) : key.IsAuthentic(nonce, stored, tag);
    }

    private static void SetNonce(Span<byte> nonce, ReadOnlySpan<byte> header, int part)
    {
        header.Slice(CounterAt, sizeof(long)).CopyTo(nonce);
        BinaryPrimitives.WriteInt32LittleEndian(nonce[sizeof(long)..], part);
    }

    private SealingKey? KeyOf(ReadOnlySpan<byte> header)
    {
        uint id = BinaryPrimitives.ReadUInt32LittleEndian(header[KeyAt..]);
        ReadOnlySpan<byte> salt = header.Slice(SaltAt, SaltBytes);
        if (id == _protection.Keys.Writing.Id && salt.SequenceEqual(_salt))
            return _own;
        (uint, UInt128) name = (id, BinaryPrimitives.ReadUInt128LittleEndian(salt));
        if (_known.TryGetValue(name, out SealingKey? known))
            return known;
        if (_protection.Keys.Find(id) is not { } key)
            return null;
        if (_known.Count >= MostKeys)
            _known.Clear();
        return _known.GetOrAdd(name, new SealingKey(key.Derive(Purpose, salt)));
    }
}
