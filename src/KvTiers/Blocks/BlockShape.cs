using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KvTiers.Blocks;

/// <summary>What the cache and its tiers know of a block: its length, how many tokens it holds, and that its bytes have one form and no other.</summary>
/// <remarks>
/// <see cref="BlockLayout"/> is the shape of a transformer's keys and values. An engine whose blocks have another form, such as keys and values of unequal length,
/// latent ones or quantised ones, names that form by a fingerprint. Every tier stores such blocks as they are, because an encoding would have to know where
/// their numbers stand.
/// </remarks>
public record BlockShape
{
    /// <summary>Blocks start on a multiple of this many bytes, and are a multiple of it long.</summary>
    public const int Alignment = 64;

    /// <summary>The largest <see cref="BlockSize"/>, in tokens.</summary>
    public const int MaxBlockSize = 256;

    private readonly byte[] _description;

    /// <summary>The shape of blocks whose form is the engine's own.</summary>
    /// <param name="bytesPerBlock">Bytes that the engine writes, at least 1 and less than 2 GiB. They are padded to a multiple of <see cref="Alignment"/>.</param>
    /// <param name="blockSize">Tokens in a block, 1 to <see cref="MaxBlockSize"/>.</param>
    /// <param name="fingerprint">Bytes that differ whenever the form does: blocks of different fingerprints never answer for each other.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public BlockShape(int bytesPerBlock, int blockSize, ReadOnlySpan<byte> fingerprint)
        : this((Int128)bytesPerBlock, blockSize, SHA256.HashData([.. Describe(bytesPerBlock, blockSize), .. fingerprint]))
    {
    }

    private protected BlockShape(Int128 byteCount, int blockSize, byte[] description)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockSize, MaxBlockSize);
        if (byteCount < 1 || byteCount > int.MaxValue - Alignment)
            throw new ArgumentOutOfRangeException(nameof(byteCount), $"A block has at least one byte and less than 2 GiB; {byteCount} bytes were asked for.");
        BlockSize = blockSize;
        BytesPerBlock = ((int)byteCount + Alignment - 1) / Alignment * Alignment;
        _description = description;
    }

    /// <summary>Tokens in a block.</summary>
    public int BlockSize { get; }

    /// <summary>Bytes of a block, a multiple of <see cref="Alignment"/>.</summary>
    public int BytesPerBlock { get; }

    /// <summary>Says all that makes this shape another than others. Part of every root and of every stored block.</summary>
    internal ReadOnlySpan<byte> Description => _description;

    /// <summary>Blocks that hold <paramref name="tokenCount"/> tokens, the last one perhaps in part.</summary>
    public int BlocksFor(int tokenCount) => (tokenCount + BlockSize - 1) / BlockSize;

    /// <inheritdoc/>
    public virtual bool Equals(BlockShape? other) => other is not null && Description.SequenceEqual(other.Description);

    /// <inheritdoc/>
    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(_description));

    private protected static byte[] Describe(params ReadOnlySpan<int> numbers)
    {
        byte[] description = new byte[numbers.Length * sizeof(int)];
        for (int i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(description.AsSpan(i * sizeof(int)), numbers[i]);
        return description;
    }
}
