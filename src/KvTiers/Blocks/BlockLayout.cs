using System.Runtime.CompilerServices;

namespace KvTiers.Blocks;

/// <summary>The shape of blocks of keys and values: <see cref="BlockShape.BlockSize"/> consecutive token positions of K and V, all layers.</summary>
/// <remarks>
/// Layer-major, and KV-head-major inside a layer. One head of one layer is K transposed <c>[HeadDim][BlockSize]</c>, then V
/// <c>[BlockSize][HeadDim]</c>, both without padding; the block as a whole is padded to a multiple of 64 bytes.
/// The whole description is in <c>docs/block-format.md</c>.
/// </remarks>
/// <param name="Layers">Transformer layers, at least 1.</param>
/// <param name="KvHeads">Key/value heads of a layer, at least 1.</param>
/// <param name="HeadDim">Elements of one head's key or value, at least 1.</param>
/// <param name="Format">The element format.</param>
/// <param name="BlockSize">Tokens in a block, 1 to <see cref="BlockShape.MaxBlockSize"/>.</param>
/// <exception cref="ArgumentOutOfRangeException">A number is out of its range, or the block would reach 2 GiB.</exception>
public sealed record BlockLayout(int Layers, int KvHeads, int HeadDim, KvFormat Format = KvFormat.F32, int BlockSize = 16)
    : BlockShape((Int128)2 * Layers * KvHeads * HeadDim * BlockSize * ElementBytes(Format), BlockSize, Describe(Layers, KvHeads, HeadDim, BlockSize, (int)Format))
{
    /// <summary>Transformer layers.</summary>
    public int Layers { get; } = Positive(Layers);

    /// <summary>Key/value heads of a layer.</summary>
    public int KvHeads { get; } = Positive(KvHeads);

    /// <summary>Elements of one head's key or value.</summary>
    public int HeadDim { get; } = Positive(HeadDim);

    /// <summary>The element format.</summary>
    public KvFormat Format { get; } =
        Enum.IsDefined(Format) ? Format : throw new ArgumentOutOfRangeException(nameof(Format), Format, "Must be F32 or BF16.");

    /// <summary>Bytes of one element.</summary>
    public int BytesPerElement => ElementBytes(Format);

    /// <summary>Bytes of K and V of one token over all layers and heads, without the block's padding.</summary>
    public int BytesPerToken => 2 * Layers * KvHeads * HeadDim * BytesPerElement;

    /// <summary>Byte offset in a block of the head's keys, <c>[HeadDim][BlockSize]</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer or head.</exception>
    public int KeyOffset(int layer, int kvHead)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layers, nameof(layer));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)kvHead, (uint)KvHeads, nameof(kvHead));
        return (layer * KvHeads + kvHead) * 2 * HeadBytes;
    }

    /// <summary>Byte offset in a block of the head's values, <c>[BlockSize][HeadDim]</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer or head.</exception>
    public int ValueOffset(int layer, int kvHead) => KeyOffset(layer, kvHead) + HeadBytes;

    private int HeadBytes => HeadDim * BlockSize * BytesPerElement;

    private static int ElementBytes(KvFormat format) => format == KvFormat.F32 ? 4 : 2;

    private static int Positive(int value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, name);
        return value;
    }
}
