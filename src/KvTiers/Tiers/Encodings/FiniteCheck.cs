using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>Whether a hot block's numbers are numbers: one that is infinite or none makes every answer that attends to it senseless.</summary>
internal static class FiniteCheck
{
    // Exponents of ones only. Without the sign, the bits of numbers are below.
    private const uint NotFinite32 = 0x7F80_0000;
    private const ushort NotFinite16 = 0x7F80;

    /// <summary>Looks at the places of the tokens that are there. Of a form that is an engine's own nothing is known, so it passes.</summary>
    /// <param name="shape">The block's shape.</param>
    /// <param name="block">The hot block.</param>
    /// <param name="tokenCount">Tokens in the block.</param>
    public static bool IsFinite(BlockShape shape, ReadOnlySpan<byte> block, int tokenCount)
    {
        if (shape is not BlockLayout layout)
            return true;
        return layout.Format == KvFormat.F32
            ? IsFinite(layout, MemoryMarshal.Cast<byte, uint>(block), tokenCount, NotFinite32)
            : IsFinite(layout, MemoryMarshal.Cast<byte, ushort>(block), tokenCount, NotFinite16);
    }

    private static bool IsFinite<T>(BlockLayout layout, ReadOnlySpan<T> block, int tokenCount, T limit)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        int headElements = layout.HeadDim * layout.BlockSize, all = 2 * layout.Layers * layout.KvHeads * headElements;
        if (tokenCount >= layout.BlockSize)
            return Largest(block[..all]) < limit;
        for (int keys = 0; keys < all; keys += 2 * headElements)
        {
            // Of K a row is one dimension of all tokens; of V, one token.
            for (int dimension = 0; dimension < layout.HeadDim; dimension++)
            {
                if (Largest(block.Slice(keys + (dimension * layout.BlockSize), tokenCount)) >= limit)
                    return false;
            }

            if (Largest(block.Slice(keys + headElements, tokenCount * layout.HeadDim)) >= limit)
                return false;
        }

        return true;
    }

    /// <summary>The largest of all, without their highest bit.</summary>
    private static T Largest<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T mask = T.MaxValue >> 1, largest = T.Zero;
        int at = 0;
        if (values.Length >= 2 * Vector512<T>.Count)
        {
            Vector512<T> masks = Vector512.Create(mask), one = Vector512<T>.Zero, other = one;
            for (; at <= values.Length - (2 * Vector512<T>.Count); at += 2 * Vector512<T>.Count)
            {
                one = Vector512.Max(one, Vector512.Create(values.Slice(at, Vector512<T>.Count)) & masks);
                other = Vector512.Max(other, Vector512.Create(values.Slice(at + Vector512<T>.Count, Vector512<T>.Count)) & masks);
            }

            one = Vector512.Max(one, other);
            for (int i = 0; i < Vector512<T>.Count; i++)
                largest = T.Max(largest, one[i]);
        }

        foreach (T value in values[at..])
            largest = T.Max(largest, value & mask);
        return largest;
    }
}
