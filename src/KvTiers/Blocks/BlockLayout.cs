namespace KvTiers.Blocks;

/// <summary>The shape of a block: <see cref="BlockSize"/> token positions of K and V, all layers.</summary>
/// <remarks>
/// Layer-major; within a layer KV-head-major; per KV head first K, transposed, [HeadDim][BlockSize], then V, [BlockSize][HeadDim].
/// </remarks>
public sealed record BlockLayout
{
    /// <summary>Creates a layout.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number below 1, an unknown format, or a block of 2 GiB or more.</exception>
    public BlockLayout(int Layers, int KvHeads, int HeadDim, KvFormat Format = KvFormat.F32, int BlockSize = 16)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(KvHeads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(HeadDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(BlockSize);
        if (!Enum.IsDefined(Format))
            throw new ArgumentOutOfRangeException(nameof(Format), Format, "Must be F32 or BF16.");
        this.Layers = Layers;
        this.KvHeads = KvHeads;
        this.HeadDim = HeadDim;
        this.Format = Format;
        this.BlockSize = BlockSize;
        Int128 bytes = (Int128)Layers * KvHeads * HeadDim * BlockSize * 2 * BytesPerElement;
        if (bytes > int.MaxValue - 63)
            throw new ArgumentOutOfRangeException(nameof(Layers), $"A block of {bytes} bytes exceeds 2 GiB.");
        BytesPerBlock = ((int)bytes + 63) / 64 * 64;
    }

    /// <summary>Transformer layers.</summary>
    public int Layers { get; }

    /// <summary>Heads of keys and values.</summary>
    public int KvHeads { get; }

    /// <summary>Elements of one head.</summary>
    public int HeadDim { get; }

    /// <summary>Element format.</summary>
    public KvFormat Format { get; }

    /// <summary>Token positions of a block.</summary>
    public int BlockSize { get; }

    /// <summary>Bytes of one element.</summary>
    public int BytesPerElement => Format == KvFormat.F32 ? 4 : 2;

    /// <summary>Bytes of one token's K and V over all layers.</summary>
    public int BytesPerToken => 2 * Layers * KvHeads * HeadDim * BytesPerElement;

    /// <summary>Bytes of a block, a multiple of 64.</summary>
    public int BytesPerBlock { get; }

    /// <summary>Byte offset in the block of K of one layer and KV head: [HeadDim][BlockSize].</summary>
    public int KeyOffset(int layer, int kvHead) => (layer * KvHeads + kvHead) * 2 * HeadDim * BlockSize * BytesPerElement;

    /// <summary>Byte offset in the block of V of one layer and KV head: [BlockSize][HeadDim].</summary>
    public int ValueOffset(int layer, int kvHead) => KeyOffset(layer, kvHead) + HeadDim * BlockSize * BytesPerElement;
}
