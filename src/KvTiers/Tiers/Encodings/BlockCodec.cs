using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>Turns a hot block into what a tier stores, and back.</summary>
/// <remarks>Thread-safe: a codec has no state but its layout. Every result depends on the block alone, never on the machine.</remarks>
public abstract class BlockCodec
{
    private protected BlockCodec(BlockLayout layout, BlockEncoding encoding, int encodedBytes, int tokensPerScale = 0)
    {
        Layout = layout;
        Encoding = encoding;
        EncodedBytes = encodedBytes;
        TokensPerScale = tokensPerScale;
    }

    /// <summary>The hot blocks' layout.</summary>
    public BlockLayout Layout { get; }

    /// <summary>How the elements are stored.</summary>
    public BlockEncoding Encoding { get; }

    /// <summary>Bytes of one stored block, whatever it holds.</summary>
    public int EncodedBytes { get; }

    /// <summary>Tokens of one head that share a scale; 0 for encodings without scales.</summary>
    public int TokensPerScale { get; }

    /// <summary>Whether decoding gives back the very bytes that were encoded.</summary>
    public bool IsLossless => Encoding == BlockEncoding.Hot || (Encoding == BlockEncoding.BFloat16 && Layout.Format == KvFormat.BF16);

    /// <summary>Names what a block loses on the way in and out: 0 for nothing, else the encoding's number + 256 × <see cref="TokensPerScale"/>.</summary>
    public int Loss => IsLossless ? 0 : (int)Encoding + (256 * TokensPerScale);

    /// <summary>The codec of an encoding.</summary>
    /// <param name="layout">The hot blocks' layout.</param>
    /// <param name="encoding">How the elements are to be stored.</param>
    /// <param name="tokensPerScale">For encodings with scales: tokens of one head that share a scale; 1, 2, 4, 8 or 16.</param>
    /// <exception cref="ArgumentException">An encoding with scales needs blocks of 16 tokens and a head dimension that is a multiple of 16.</exception>
    public static BlockCodec Create(BlockLayout layout, BlockEncoding encoding, int tokensPerScale = 4)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return encoding switch
        {
            BlockEncoding.Hot => new HotCodec(layout, BlockEncoding.Hot),
            BlockEncoding.BFloat16 when layout.Format == KvFormat.BF16 => new HotCodec(layout, BlockEncoding.BFloat16),
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
        if (block != Layout.BytesPerBlock || encoded != EncodedBytes)
        {
            throw new ArgumentException(
                $"A hot block has {Layout.BytesPerBlock} bytes and a stored one {EncodedBytes}; {block} and {encoded} were given.");
        }
    }
}
