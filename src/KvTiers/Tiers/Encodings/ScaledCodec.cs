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

    public ScaledCodec(BlockLayout layout, BlockEncoding encoding, int tokensPerScale)
        : base(layout, encoding, SizeOf(layout, encoding, tokensPerScale), tokensPerScale)
    {
    }

    private int ScaleBytes => Tokens / TokensPerScale * sizeof(ushort);

    private protected override void EncodeCore(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        fixed (byte* source = block, destination = encoded)
        {
            byte* to = destination;
            for (int head = 0; head < Layout.Layers * Layout.KvHeads; head++)
            {
                long keys = (long)head * 2 * Layout.HeadDim * Tokens;
                to = EncodeKeys(source, keys, to);
                to = EncodeValues(source, keys + (Layout.HeadDim * Tokens), to);
            }
        }
    }

    private protected override void DecodeCore(ReadOnlySpan<byte> encoded, Span<byte> block)
    {
        fixed (byte* source = encoded, destination = block)
        {
            byte* from = source;
            for (int head = 0; head < Layout.Layers * Layout.KvHeads; head++)
            {
                long keys = (long)head * 2 * Layout.HeadDim * Tokens;
                from = DecodeKeys(from, destination, keys);
                from = DecodeValues(from, destination, keys + (Layout.HeadDim * Tokens));
            }
        }
    }

    /// <summary>K is transposed: a vector is one element of all sixteen tokens, so the scales lie in its lanes.</summary>
    private byte* EncodeKeys(byte* block, long start, byte* to)
    {
        Vector512<float> largest = Vector512<float>.Zero;
        for (int element = 0; element < Layout.HeadDim; element++)
        {
            largest = Vector512.Max(largest, Vector512.Abs(HotElements.Load(Layout.Format, block, start + (element * Tokens))));
        }

        float* scales = stackalloc float[Tokens];
        to = StoreScales(largest, to, scales);
        Vector512<float> inverse = Inverse(Vector512.Load(scales));
        for (int element = 0; element < Layout.HeadDim; element++)
        {
            StoreCodes(HotElements.Load(Layout.Format, block, start + (element * Tokens)) * inverse, to);
            to += TQuantizer.BytesPerVector;
        }

        return to;
    }

    private byte* EncodeValues(byte* block, long start, byte* to)
    {
        Vector512<float> largest = Vector512<float>.Zero;
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<float> row = Vector512<float>.Zero;
            for (int element = 0; element < Layout.HeadDim; element += Tokens)
            {
                row = Vector512.Max(row, Vector512.Abs(HotElements.Load(Layout.Format, block, start + (token * Layout.HeadDim) + element)));
            }

            largest = largest.WithElement(token, LargestLane(row));
        }

        float* scales = stackalloc float[Tokens];
        to = StoreScales(largest, to, scales);
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<float> inverse = Inverse(Vector512.Create(scales[token]));
            for (int element = 0; element < Layout.HeadDim; element += Tokens)
            {
                StoreCodes(HotElements.Load(Layout.Format, block, start + (token * Layout.HeadDim) + element) * inverse, to);
                to += TQuantizer.BytesPerVector;
            }
        }

        return to;
    }

    private byte* DecodeKeys(byte* from, byte* block, long start)
    {
        float* scales = stackalloc float[Tokens];
        from = LoadScales(from, scales);
        Vector512<float> scale = Vector512.Load(scales);
        for (int element = 0; element < Layout.HeadDim; element++)
        {
            HotElements.Store(Layout.Format, block, start + (element * Tokens), TQuantizer.Load(from) * scale);
            from += TQuantizer.BytesPerVector;
        }

        return from;
    }

    private byte* DecodeValues(byte* from, byte* block, long start)
    {
        float* scales = stackalloc float[Tokens];
        from = LoadScales(from, scales);
        for (int token = 0; token < Tokens; token++)
        {
            Vector512<float> scale = Vector512.Create(scales[token]);
            for (int element = 0; element < Layout.HeadDim; element += Tokens)
            {
                HotElements.Store(Layout.Format, block, start + (token * Layout.HeadDim) + element, TQuantizer.Load(from) * scale);
                from += TQuantizer.BytesPerVector;
            }
        }

        return from;
    }

    /// <summary>Writes one scale a group, and to <paramref name="scales"/> each token's scale as the decoder will read it.</summary>
    private byte* StoreScales(Vector512<float> largest, byte* to, float* scales)
    {
        for (int group = 0; group < Tokens; group += TokensPerScale)
        {
            float magnitude = 0;
            for (int token = group; token < group + TokensPerScale; token++)
            {
                magnitude = Math.Max(magnitude, largest.GetElement(token));
            }

            uint bits = BitConverter.SingleToUInt32Bits(magnitude / TQuantizer.MaxMagnitude);
            *(ushort*)to = (ushort)Math.Min((bits + 0xFFFF) >> 16, 0x7F7F);
            to += sizeof(ushort);
        }

        LoadScales(to - ScaleBytes, scales);
        return to;
    }

    private byte* LoadScales(byte* from, float* scales)
    {
        for (int token = 0; token < Tokens; token++)
        {
            scales[token] = BitConverter.UInt32BitsToSingle((uint)((ushort*)from)[token / TokensPerScale] << 16);
        }

        return from + ScaleBytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreCodes(Vector512<float> scaled, byte* to)
    {
        Vector512<float> limit = Vector512.Create(TQuantizer.MaxMagnitude);
        TQuantizer.Store(Vector512.Min(Vector512.Max(scaled, -limit), limit), to);
    }

    /// <summary>1 / scale, and 0 where a group is all zeros.</summary>
    private static Vector512<float> Inverse(Vector512<float> scale) => Vector512.ConditionalSelect(
        Vector512.Equals(scale, Vector512<float>.Zero), Vector512<float>.Zero, Vector512<float>.One / scale);

    private static float LargestLane(Vector512<float> row)
    {
        float largest = 0;
        for (int lane = 0; lane < Tokens; lane++)
        {
            largest = Math.Max(largest, row.GetElement(lane));
        }

        return largest;
    }

    private static int SizeOf(BlockLayout layout, BlockEncoding encoding, int tokensPerScale)
    {
        if (tokensPerScale is not (1 or 2 or 4 or 8 or 16))
        {
            throw new ArgumentOutOfRangeException(nameof(tokensPerScale), tokensPerScale, "Must be 1, 2, 4, 8 or 16.");
        }

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
