using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using KvTiers.Blocks;
using KvTiers.Keys;
using KvTiers.Prefix;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tiers;

/// <summary>
/// How a block is stored outside the hot tier: a header of one disk sector that says all a reader must check, the
/// encoded block, and zeros up to a whole sector. <c>docs/block-format.md</c> is the truth.
/// </summary>
/// <remarks>
/// Thread-safe. A record answers for one hash, one shape and one encoding; whatever disagrees, by one bit, is a
/// <see cref="RecordFault"/> and never a block. Where records are protected, so is one that nobody with a key wrote.
/// </remarks>
public sealed class BlockRecord
{
    /// <summary>Bytes of the header, and the unit of a record's length.</summary>
    public const int SectorBytes = 512;

    /// <summary>The version this code writes, and the only one it reads.</summary>
    internal const ushort FormatVersion = 2;

    internal const uint Magic = 0x4254564B; // "KVTB"

    // What the header's checksum covers, itself included.
    internal const int SummedBytes = 128;

    private readonly ulong _fingerprint;
    private readonly byte _tokensPerScale;
    private readonly RecordSeal? _seal;

    /// <summary>The records of one tier.</summary>
    /// <param name="shape">The hot blocks' shape.</param>
    /// <param name="encoding">How they are stored.</param>
    /// <param name="protection">The keys of records that leave the process; null = they have checksums, which find damage and no forgery.</param>
    /// <exception cref="ArgumentException">The encoding does not fit the shape.</exception>
    public BlockRecord(BlockShape shape, BlockEncoding encoding, RecordProtection? protection = null)
        : this(BlockCodec.Create(shape, encoding), protection is null ? null : new RecordSeal(protection))
    {
    }

    /// <summary>Records of blocks that <paramref name="codec"/> encodes.</summary>
    internal BlockRecord(BlockCodec codec, RecordSeal? seal = null)
    {
        ArgumentNullException.ThrowIfNull(codec);
        Codec = codec;
        _seal = seal;
        RecordBytes = SectorBytes + ((codec.EncodedBytes + SectorBytes - 1) / SectorBytes * SectorBytes);
        _fingerprint = Fingerprint(codec.Shape);
        _tokensPerScale = (byte)codec.TokensPerScale;
    }

    /// <summary>How the payload is encoded.</summary>
    internal BlockCodec Codec { get; }

    /// <summary>Bytes of a record, a multiple of <see cref="SectorBytes"/>.</summary>
    public int RecordBytes { get; }

    /// <summary>Whether a record is a header and the very bytes of the hot block, so that the block need not be copied to be stored.</summary>
    internal bool IsPlain => Codec.IsLossless && _seal is not { Encrypts: true } && RecordBytes == SectorBytes + Codec.Shape.BytesPerBlock;

    /// <summary>Writes the record of a hot block.</summary>
    /// <param name="hash">The block's hash.</param>
    /// <param name="attributes">What to keep beside it.</param>
    /// <param name="sequence">Grows with every record written to one store: the order of writing.</param>
    /// <param name="block">The hot block's bytes.</param>
    /// <param name="record"><see cref="RecordBytes"/> long.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    internal void Write(BlockHash hash, in BlockAttributes attributes, long sequence, ReadOnlySpan<byte> block, Span<byte> record)
    {
        CheckLength(record.Length);
        Span<byte> header = record[..SectorBytes], payload = record.Slice(SectorBytes, Codec.EncodedBytes);
        record[(SectorBytes + Codec.EncodedBytes)..].Clear();
        if (_seal is null)
        {
            WriteFields(hash, attributes, sequence, Codec.EncodeAndSum(block, payload), header);
            return;
        }

        WriteFields(hash, attributes, sequence, checksum: 0, header);
        ReadOnlySpan<byte> encoded = block;
        if (!_seal.Encrypts || !Codec.IsLossless)
        {
            Codec.Encode(block, payload);
            encoded = payload;
        }

        _seal.Seal(header, encoded, payload);
    }

    /// <summary>Writes the header of a record whose payload is the hot block itself; see <see cref="IsPlain"/>.</summary>
    internal void WriteHeader(BlockHash hash, in BlockAttributes attributes, long sequence, ReadOnlySpan<byte> block, Span<byte> header)
    {
        WriteFields(hash, attributes, sequence, _seal is null ? Crc32C.Compute(block) : 0, header);
        _seal?.Seal(header, block, []);
    }

    private void WriteFields(BlockHash hash, in BlockAttributes attributes, long sequence, uint checksum, Span<byte> header)
    {
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], FormatVersion);
        header[6] = (byte)Codec.Encoding;
        header[7] = _tokensPerScale;
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], attributes.TokenCount);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], Codec.EncodedBytes);
        hash.CopyTo(header[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], _fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(header[56..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[64..], attributes.Expires?.ToUnixTimeMilliseconds() ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(header[72..], attributes.Priority);
        BinaryPrimitives.WriteInt32LittleEndian(header[76..], attributes.Tenant);
        _seal?.Mark(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[120..], checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header[124..], Crc32C.Compute(header[..124]));
    }

    /// <summary>Checks a record from end to end and decodes it.</summary>
    /// <param name="hash">The block that was asked for.</param>
    /// <param name="record">What the store returned; any bytes of any length.</param>
    /// <param name="block">Takes the hot block; its contents are unspecified unless the result is <see cref="RecordFault.None"/>.</param>
    internal RecordFault TryRead(BlockHash hash, ReadOnlySpan<byte> record, Span<byte> block) => TryRead(hash, record, block, out _);

    /// <summary>As above.</summary>
    /// <param name="hash">The block that was asked for.</param>
    /// <param name="record">What the store returned.</param>
    /// <param name="block">Takes the hot block.</param>
    /// <param name="attributes">What was stored beside it.</param>
    /// <param name="isOwn">Whether the record never left this process. A block in it that is as it was is not looked through for what is no number: that would cost as much as the copy.</param>
    internal RecordFault TryRead(BlockHash hash, ReadOnlySpan<byte> record, Span<byte> block, out BlockAttributes attributes, bool isOwn = false)
    {
        attributes = default;
        if (record.Length != RecordBytes)
            return RecordFault.Truncated;

        RecordFault fault = TryReadHeaderOf(hash, record[..SectorBytes], out RecordHeader header);
        attributes = header.Attributes;
        if (fault != RecordFault.None)
            return fault;
        ReadOnlySpan<byte> payload = record.Slice(SectorBytes, Codec.EncodedBytes);
        if (_seal is null)
            fault = Codec.TryDecode(payload, header.PayloadChecksum, block) ? RecordFault.None : RecordFault.Corrupt;
        else
            fault = TryOpen(record[..SectorBytes], payload, block) ? RecordFault.None : RecordFault.Unauthentic;
        return fault == RecordFault.None && !(isOwn && Codec.IsLossless) ? CheckNumbers(header, block) : fault;
    }

    /// <summary>Checks a record from end to end whose payload has been read to where the hot block is to be; see <see cref="IsPlain"/>.</summary>
    internal RecordFault Check(BlockHash hash, ReadOnlySpan<byte> header, Span<byte> block, out BlockAttributes attributes)
    {
        RecordFault fault = TryReadHeaderOf(hash, header, out RecordHeader read);
        attributes = read.Attributes;
        if (fault != RecordFault.None)
            return fault;
        if (_seal is null)
            fault = Crc32C.Compute(block) == read.PayloadChecksum ? RecordFault.None : RecordFault.Corrupt;
        else
            fault = _seal.TryOpen(header, block, block) ? RecordFault.None : RecordFault.Unauthentic;
        return fault == RecordFault.None ? CheckNumbers(read, block) : fault;
    }

    private RecordFault CheckNumbers(in RecordHeader header, ReadOnlySpan<byte> block) =>
        FiniteCheck.IsFinite(Codec.Shape, block, header.Attributes.TokenCount) ? RecordFault.None : RecordFault.NotFinite;

    private bool TryOpen(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, Span<byte> block)
    {
        if (RecordSeal.ProtectionOf(header) == RecordSeal.Encrypted)
        {
            if (Codec.IsLossless)
                return _seal!.TryOpen(header, payload, block);
            byte[] encoded = ArrayPool<byte>.Shared.Rent(Codec.EncodedBytes);
            bool opened = _seal!.TryOpen(header, payload, encoded.AsSpan(0, Codec.EncodedBytes));
            if (opened)
                Codec.Decode(encoded.AsSpan(0, Codec.EncodedBytes), block);
            ArrayPool<byte>.Shared.Return(encoded);
            return opened;
        }

        if (!_seal!.TryOpen(header, payload, []))
            return false;
        Codec.Decode(payload, block);
        return true;
    }

    /// <summary>Reads and checks a header alone; the payload is checked when it is read.</summary>
    /// <param name="sector">The record's first <see cref="SectorBytes"/>.</param>
    /// <param name="header">What it says.</param>
    internal RecordFault TryReadHeader(ReadOnlySpan<byte> sector, out RecordHeader header)
    {
        header = default;
        if (sector.Length < RecordSeal.HeaderBytes)
            return RecordFault.Truncated;

        if (BinaryPrimitives.ReadUInt32LittleEndian(sector) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(sector[124..]) != Crc32C.Compute(sector[..124]))
            return RecordFault.Corrupt;

        if (BinaryPrimitives.ReadUInt16LittleEndian(sector[4..]) != FormatVersion)
            return RecordFault.OtherVersion;

        if (sector[6] != (byte)Codec.Encoding || sector[7] != _tokensPerScale)
            return RecordFault.OtherEncoding;

        int tokenCount = BinaryPrimitives.ReadInt32LittleEndian(sector[8..]);
        int priority = BinaryPrimitives.ReadInt32LittleEndian(sector[72..]);
        if (BinaryPrimitives.ReadUInt64LittleEndian(sector[48..]) != _fingerprint
            || BinaryPrimitives.ReadInt32LittleEndian(sector[12..]) != Codec.EncodedBytes
            || tokenCount < 1 || tokenCount > Codec.Shape.BlockSize
            || priority < 0 || priority > BlockAttributes.MaxPriority)
            return RecordFault.OtherLayout;

        RecordFault fault = _seal is not null ? _seal.Check(sector)
            : RecordSeal.ProtectionOf(sector) == RecordSeal.None ? RecordFault.None
            : RecordFault.OtherKey;
        if (fault != RecordFault.None)
            return fault;

        long expires = BinaryPrimitives.ReadInt64LittleEndian(sector[64..]);
        header = new RecordHeader(
            new BlockHash(sector.Slice(16, BlockHash.ByteCount)),
            new BlockAttributes
            {
                TokenCount = tokenCount,
                Priority = priority,
                Expires = expires == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(expires),
                Tenant = BinaryPrimitives.ReadInt32LittleEndian(sector[76..]),
            },
            BinaryPrimitives.ReadInt64LittleEndian(sector[56..]),
            BinaryPrimitives.ReadUInt32LittleEndian(sector[120..]));
        return RecordFault.None;
    }

    private RecordFault TryReadHeaderOf(BlockHash hash, ReadOnlySpan<byte> sector, out RecordHeader header)
    {
        RecordFault fault = TryReadHeader(sector, out header);
        return fault == RecordFault.None && header.Hash != hash ? RecordFault.OtherBlock : fault;
    }

    private static ulong Fingerprint(BlockShape shape)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(shape.Description, digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    private void CheckLength(int recordLength)
    {
        if (recordLength != RecordBytes)
            throw new ArgumentException($"A record has {RecordBytes} bytes; {recordLength} were given.", nameof(recordLength));
    }
}
