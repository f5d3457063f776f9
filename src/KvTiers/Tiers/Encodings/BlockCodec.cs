using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>Turns a hot block into what a tier stores, and back.</summary>
/// <remarks>Thread-safe: a codec has no state but its shape. Every result depends on the block alone, never on the machine.</remarks>
internal abstract class BlockCodec
{
    private protected BlockCodec(BlockShape shape, BlockEncoding encoding, int encodedBytes, int tokensPerScale = 0)
    {
        Shape = shape;
        Encoding = encoding;
        EncodedBytes = encodedBytes;
        TokensPerScale = tokensPerScale;
    }

    /// <summary>The hot blocks' shape.</summary>
    public BlockShape Shape { get; }

    /// <summary>How the elements are stored.</summary>
    public BlockEncoding Encoding { get; }

    /// <summary>Bytes of one stored block, whatever it holds.</summary>
    public int EncodedBytes { get; }

    /// <summary>Tokens of one head that share a scale; 0 for encodings without scales.</summary>
    public int TokensPerScale { get; }

    /// <summary>Whether decoding gives back the very bytes that were encoded.</summary>
    public virtual bool IsLossless => false;

    /// <summary>Names what a block loses on the way in and out: 0 for nothing, else the encoding's number + 256 × <see cref="TokensPerScale"/>.</summary>
    public int Loss => IsLossless ? 0 : (int)Encoding + (256 * TokensPerScale);

    /// <summary>The codec of an encoding.</summary>
    /// <param name="shape">The hot blocks' shape; an encoding that works on elements needs a <see cref="BlockLayout"/>.</param>
    /// <param name="encoding">How the elements are to be stored.</param>
    /// <param name="tokensPerScale">For encodings with scales: tokens of one head that share a scale; 1, 2, 4, 8 or 16.</param>
    /// <exception cref="ArgumentException">The shape is no <see cref="BlockLayout"/>, or an encoding with scales was asked for, which needs blocks of 16 tokens and a head dimension that is a multiple of 16.</exception>
    public static BlockCodec Create(BlockShape shape, BlockEncoding encoding, int tokensPerScale = 4)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (encoding == BlockEncoding.Hot)
            return new HotCodec(shape, encoding);
        if (shape is not BlockLayout layout)
            throw new ArgumentException($"Blocks of a form of their own are stored as they are, not as {encoding}.", nameof(shape));
        return encoding switch
        {
            BlockEncoding.BFloat16 when layout.Format == KvFormat.BF16 => new HotCodec(layout, encoding),
            BlockEncoding.BFloat16 => new BFloat16Codec(layout),
            BlockEncoding.Float8E4M3 => new ScaledCodec<Float8Quantizer>(layout, encoding, tokensPerScale),
            BlockEncoding.Int8 => new ScaledCodec<Int8Quantizer>(layout, encoding, tokensPerScale),
            BlockEncoding.Int4 => new ScaledCodec<Int4Quantizer>(layout, encoding, tokensPerScale),
            _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "Not an encoding of blocks."),
        };
    }

    /// <summary>Stores <paramref name="block"/>, <c>BytesPerBlock</c> long, into <paramref name="encoded"/>, <see cref="EncodedBytes"/> long.</summary>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Encode(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        CheckLengths(block.Length, encoded.Length);
        EncodeCore(block, encoded);
    }

    /// <summary>Restores a block from what <see cref="Encode"/> stored.</summary>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, Span<byte> block)
    {
        CheckLengths(block.Length, encoded.Length);
        DecodeCore(encoded, block);
    }

    /// <summary>As <see cref="Encode"/>, and the CRC-32C of what was stored.</summary>
    internal uint EncodeAndSum(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        CheckLengths(block.Length, encoded.Length);
        return EncodeAndSumCore(block, encoded);
    }

    /// <summary>As <see cref="Decode"/>, unless the CRC-32C of <paramref name="encoded"/> is another: then the block's contents are unspecified.</summary>
    internal bool TryDecode(ReadOnlySpan<byte> encoded, uint checksum, Span<byte> block)
    {
        CheckLengths(block.Length, encoded.Length);
        return TryDecodeCore(encoded, checksum, block);
    }

    private protected virtual uint EncodeAndSumCore(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        EncodeCore(block, encoded);
        return Crc32C.Compute(encoded);
    }

    private protected virtual bool TryDecodeCore(ReadOnlySpan<byte> encoded, uint checksum, Span<byte> block)
    {
        if (Crc32C.Compute(encoded) != checksum)
            return false;

        DecodeCore(encoded, block);
        return true;
    }

    private protected abstract void EncodeCore(ReadOnlySpan<byte> block, Span<byte> encoded);

    private protected abstract void DecodeCore(ReadOnlySpan<byte> encoded, Span<byte> block);

    private void CheckLengths(int block, int encoded)
    {
        if (block != Shape.BytesPerBlock || encoded != EncodedBytes)
        {
            throw new ArgumentException(
                $"A hot block has {Shape.BytesPerBlock} bytes and a stored one {EncodedBytes}; {block} and {encoded} were given.");
        }
    }
}
