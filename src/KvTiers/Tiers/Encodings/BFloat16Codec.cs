using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>32-bit floats rounded to bfloat16, element by element in the hot block's order.</summary>
internal sealed unsafe class BFloat16Codec(BlockLayout layout)
    : BlockCodec(layout, BlockEncoding.BFloat16, layout.BytesPerBlock / 2)
{
    private protected override void EncodeCore(ReadOnlySpan<byte> block, Span<byte> encoded)
    {
        fixed (byte* source = block, destination = encoded)
        {
            for (int element = 0; element < EncodedBytes / 2; element += 16)
                BFloat16Elements.Store(destination, element, Float32Elements.Load(source, element));
        }
    }

    private protected override void DecodeCore(ReadOnlySpan<byte> encoded, Span<byte> block)
    {
        fixed (byte* source = encoded, destination = block)
        {
            for (int element = 0; element < EncodedBytes / 2; element += 16)
                Float32Elements.Store(destination, element, BFloat16Elements.Load(source, element));
        }
    }
}
