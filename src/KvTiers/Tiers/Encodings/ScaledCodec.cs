using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>
/// Few bits a value, and one scale for each head's values of a few tokens: a value is its code times its scale, and the
/// scale is the group's largest magnitude over the format's, as bfloat16 rounded up.
/// </summary>
/// <remarks>
/// In order, for every layer and KV head, first for K and then for V: the scales [16 / tokensPerScale] as bfloat16, then
/// the codes in the hot block's element order (K [headDim][16], V [16][headDim]), sixteen at a time.
/// </remarks>
internal sealed unsafe class ScaledCodec<TQuantizer> : BlockCodec
    where TQuantizer : struct, IQuantizer
{
    private const int Tokens = 16;

    private readonly BlockLayout _layout;

    public ScaledCodec(BlockLayout layout, BlockEncoding encoding, int tokensPerScale)
        : base(layout, encoding, SizeOf(layout, encoding, tokensPerScale), tokensPerScale) => _layout = layout;

    private protected override void EncodeCore(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        if (_layout.Format == KvFormat.F32)
            Encode<Float32Elements>(block, encoded);
        else
            Encode<BFloat16Elements>(block, encoded);
    }

    private protected override void DecodeCore(ReadOnlySpan<byte> encoded, Span<byte> block)
    {
        if (_layout.Format == KvFormat.F32)
            Decode<Float32Elements>(encoded, block);
        else
            Decode<BFloat16Elements>(encoded, block);
    }

    private void Encode<TElements>(ReadOnlySpan<byte> block, Span<byte> encoded)
        where TElements : struct, IHotElements
    {
        int headDim = _layout.HeadDim;
        fixed (byte* source = block, destination = encoded)
        {
            byte* to = destination;
            for (int head = 0; head < _layout.Layers * _layout.KvHeads; head++)
            {
                long keys = (long)head * 2 * headDim * Tokens;
                to = EncodeKeys<TElements>(source, keys, headDim, to);
                to = EncodeValues<TElements>(source, keys + (headDim * Tokens), headDim, to);
            }
        }
    }

    private void Decode<TElements>(ReadOnlySpan<byte> encoded, Span<byte> block)
        where TElements : struct, IHotElements
    {
        int headDim = _layout.HeadDim;
        fixed (byte* source = encoded, destination = block)
        {
            byte* from = source;
            for (int head = 0; head < _layout.Layers * _layout.KvHeads; head++)
            {
                long keys = (long)head * 2 * headDim * Tokens;
                from = DecodeKeys<TElements>(from, destination, keys, headDim);
                from = DecodeValues<TElements>(from, destination, keys + (headDim * Tokens), headDim);
            }
        }
    }

    /// <summary>K is transposed: a vector is one element of all sixteen tokens, so the scales lie in its lanes.</summary>
    private byte* EncodeKeys<TElements>(byte* block, long start, int headDim, byte* to)
        where TElements : struct, IHotElements
    {
        Vector512<uint> largest = Vector512<uint>.Zero;
        for (int element = 0; element < headDim; element++)
            largest = Vector512.Max(largest, Magnitude(TElements.Load(block, start + (element * Tokens))));

        Vector512<float> inverse = StoreScales(largest, ref to);
        for (int element = 0; element < headDim; element++)
        {
            TQuantizer.Store(TElements.Load(block, start + (element * Tokens)) * inverse, to);
            to += TQuantizer.BytesPerVector;
        }

        return to;
    }

    private byte* EncodeValues<TElements>(byte* block, long start, int headDim, byte* to)
        where TElements : struct, IHotElements
    {
        uint* largest = stackalloc uint[Tokens];
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<uint> row = Vector512<uint>.Zero;
            for (int element = 0; element < headDim; element += Tokens)
                row = Vector512.Max(row, Magnitude(TElements.Load(block, start + (token * headDim) + element)));

            largest[token] = LargestLane(row);
        }

        float* inverses = stackalloc float[Tokens];
        StoreScales(Vector512.Load(largest), ref to).Store(inverses);
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<float> inverse = Vector512.Create(inverses[token]);
            for (int element = 0; element < headDim; element += Tokens)
            {
                TQuantizer.Store(TElements.Load(block, start + (token * headDim) + element) * inverse, to);
                to += TQuantizer.BytesPerVector;
            }
        }

        return to;
    }

    private byte* DecodeKeys<TElements>(byte* from, byte* block, long start, int headDim)
        where TElements : struct, IHotElements
    {
        float* scales = stackalloc float[Tokens];
        from = LoadScales(from, scales);
        Vector512<float> scale = Vector512.Load(scales);
        for (int element = 0; element < headDim; element++)
        {
            TElements.Store(block, start + (element * Tokens), TQuantizer.Load(from) * scale);
            from += TQuantizer.BytesPerVector;
        }

        return from;
    }

    private byte* DecodeValues<TElements>(byte* from, byte* block, long start, int headDim)
        where TElements : struct, IHotElements
    {
        float* scales = stackalloc float[Tokens];
        from = LoadScales(from, scales);
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<float> scale = Vector512.Create(scales[token]);
            for (int element = 0; element < headDim; element += Tokens)
            {
                TElements.Store(block, start + (token * headDim) + element, TQuantizer.Load(from) * scale);
                from += TQuantizer.BytesPerVector;
            }
        }

        return from;
    }

    /// <summary>Writes one scale a group, rounded up.</summary>
    /// <param name="largest">The bits of each token's largest magnitude.</param>
    /// <param name="to">Where the scales go; moves on.</param>
    /// <returns>Each token's 1 / scale, by the scale that the decoder will read.</returns>
    private Vector512<float> StoreScales(Vector512<uint> largest, ref byte* to)
    {
        // Each step doubles the group over which a lane holds the largest.
        if (TokensPerScale >= 2)
            largest = Vector512.Max(largest, Vector512.Shuffle(largest, Vector512.Create(1u, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)));

        if (TokensPerScale >= 4)
            largest = Vector512.Max(largest, Vector512.Shuffle(largest, Vector512.Create(2u, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)));

        if (TokensPerScale >= 8)
            largest = Vector512.Max(largest, Vector512.Shuffle(largest, Vector512.Create(4u, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)));

        if (TokensPerScale >= 16)
            largest = Vector512.Max(largest, Vector512.Shuffle(largest, Vector512.Create(8u, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));

        Vector512<uint> bits = (largest.AsSingle() / Vector512.Create(TQuantizer.MaxMagnitude)).AsUInt32();
        Vector512<uint> scales = Vector512.Min((bits + Vector512.Create(0xFFFFu)) >> 16, Vector512.Create(0x7F7Fu));
        uint* lanes = stackalloc uint[Tokens];
        scales.Store(lanes);
        for (int token = 0; token < Tokens; token += TokensPerScale)
        {
            *(ushort*)to = (ushort)lanes[token];
            to += sizeof(ushort);
        }

        return Inverse((scales << 16).AsSingle());
    }

    private byte* LoadScales(byte* from, float* scales)
    {
        int tokensPerScale = TokensPerScale;
        for (int group = 0; group < Tokens; group += tokensPerScale)
        {
            float scale = BitConverter.UInt32BitsToSingle((uint)*(ushort*)from << 16);
            for (int token = group; token < group + tokensPerScale; token++)
                scales[token] = scale;

            from += sizeof(ushort);
        }

        return from;
    }

    /// <summary>1 / scale, and 0 where a group is all zeros.</summary>
    private static Vector512<float> Inverse(Vector512<float> scale) => Vector512.ConditionalSelect(
        Vector512.Equals(scale, Vector512<float>.Zero), Vector512<float>.Zero, Vector512<float>.One / scale);

    /// <summary>The bits of the magnitude: as unsigned integers they are in the order of the floats, a NaN above all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Magnitude(Vector512<float> values) => values.AsUInt32() & Vector512.Create(0x7FFF_FFFFu);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LargestLane(Vector512<uint> row)
    {
        Vector256<uint> half = Vector256.Max(row.GetLower(), row.GetUpper());
        Vector128<uint> quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        quarter = Vector128.Max(quarter, Vector128.Shuffle(quarter, Vector128.Create(2u, 3, 0, 1)));
        return Vector128.Max(quarter, Vector128.Shuffle(quarter, Vector128.Create(1u, 0, 3, 2))).ToScalar();
    }

    private static int SizeOf(BlockLayout layout, BlockEncoding encoding, int tokensPerScale)
    {
        if (tokensPerScale is not (1 or 2 or 4 or 8 or 16))
            throw new ArgumentOutOfRangeException(nameof(tokensPerScale), tokensPerScale, "Must be 1, 2, 4, 8 or 16.");

        if (layout.BlockSize != Tokens || layout.HeadDim % Tokens != 0)
        {
            throw new ArgumentException(
                $"{encoding} needs blocks of {Tokens} tokens and a head dimension that is a multiple of {Tokens}; "
                + $"these have {layout.BlockSize} and {layout.HeadDim}.",
                nameof(layout));
        }

        int scales = Tokens / tokensPerScale * sizeof(ushort);
        return layout.Layers * layout.KvHeads * 2 * (scales + (layout.HeadDim * TQuantizer.BytesPerVector));
    }
}
