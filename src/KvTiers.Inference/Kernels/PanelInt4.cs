namespace KvTiers.Inference.Kernels;

/// <summary>
/// A panel of 4-bit weights, with scales (and least values, where <see cref="IInt4Groups"/> has them) per column and per group of 32 inputs, 16-bit
/// floats each: 4.5 (or 5) bits a weight.
/// </summary>
/// <remarks>
/// Group after group: 16 words with the scales, as <see cref="IPanelScales"/> has them; the same with the least values; then two rows of 64 bytes
/// per eight inputs, columns 0–15 and 16–31. Word c of a row holds the eight integers of a column: input 2p in bits 4p, input 2p + 1 in bits 4p + 16,
/// so that shifting by 4 bits brings each pair in turn to where 16-bit multiplications want it. The last group has as many rows as there are inputs.
/// </remarks>
internal static unsafe class PanelInt4
{
    /// <summary>Inputs that share a scale.</summary>
    public const int GroupInputs = 32;

    /// <summary>Pairs of inputs of a group.</summary>
    public const int GroupPairs = GroupInputs / 2;

    /// <summary>Inputs of a word.</summary>
    public const int WordInputs = 8;

    /// <summary>Pairs of inputs of a word.</summary>
    public const int WordPairs = WordInputs / 2;

    /// <summary>Bytes of the weights of all columns that meet the inputs of a word.</summary>
    public const int WordBytes = 128;

    /// <summary>Bytes of a group's scales, or of its least values.</summary>
    public const int ScaleBytes = 64;

    /// <summary>Groups of inputs, the last one perhaps with fewer.</summary>
    public static int Groups(int inputs) => (inputs + GroupInputs - 1) / GroupInputs;

    /// <summary>Pairs of inputs, those that fill up the last word included.</summary>
    public static int Pairs(int inputs) => (inputs + WordInputs - 1) / WordInputs * WordPairs;

    /// <summary>Bytes before a group's integers.</summary>
    public static int HeaderBytes<TGroups>()
        where TGroups : struct, IInt4Groups => TGroups.HasLeast ? 2 * ScaleBytes : ScaleBytes;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes<TGroups>(int inputs)
        where TGroups : struct, IInt4Groups => (long)Groups(inputs) * HeaderBytes<TGroups>() + (long)Pairs(inputs) / WordPairs * WordBytes;

    /// <summary>Rounds one column's weights into a panel of zeros.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="column">0 to 31.</param>
    /// <param name="weights">[inputs], finite.</param>
    public static void Write<TGroups>(byte* panel, int column, ReadOnlySpan<float> weights)
        where TGroups : struct, IInt4Groups
    {
        Span<byte> integers = stackalloc byte[GroupInputs];
        for (int first = 0; first < weights.Length; first += GroupInputs, panel += GroupBytes<TGroups>())
        {
            ReadOnlySpan<float> group = weights[first..Math.Min(first + GroupInputs, weights.Length)];
            (Half scale, Half least) = TGroups.HasLeast ? Int4Rounding.Affine(group, integers) : (Int4Rounding.Symmetric(group, integers), default);
            WriteGroup<TGroups>(panel, column, scale, least, integers[..group.Length]);
        }
    }

    /// <summary>Writes one column's integers (0 to 15, the offset not added), scales and least values into a panel of zeros, as they are.</summary>
    public static void Write<TGroups>(byte* panel, int column, GroupedWeights weights)
        where TGroups : struct, IInt4Groups
    {
        ReadOnlySpan<byte> integers = System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.Integers.AsSpan());
        for (int group = 0; group < weights.Scales.Length; group++, panel += GroupBytes<TGroups>())
        {
            int first = group * GroupInputs;
            ReadOnlySpan<byte> own = integers[first..Math.Min(first + GroupInputs, integers.Length)];
            WriteGroup<TGroups>(panel, column, weights.Scales[group], weights.Least[group], own);
        }
    }

    /// <summary>The weight that one column's integer stands for.</summary>
    public static float Load<TGroups>(byte* panel, int column, int k)
        where TGroups : struct, IInt4Groups
    {
        byte* group = panel + (long)(k / GroupInputs) * GroupBytes<TGroups>();
        int integer = Integer(group + HeaderBytes<TGroups>(), column, k % GroupInputs) + TGroups.Offset;
        return TGroups.HasLeast ? MathF.FusedMultiplyAdd(Scale(group, column), integer, Scale(group + ScaleBytes, column)) : Scale(group, column) * integer;
    }

    /// <summary>A column's scale in the group that begins there; its least value with <see cref="ScaleBytes"/> more.</summary>
    public static float Scale(byte* group, int column) => PanelScalesF16.Widen(*ScaleAt(group, column));

    /// <summary>A column's integer, 0 to 15.</summary>
    /// <param name="words">The first word of a group, or one that follows.</param>
    /// <param name="column">0 to 31.</param>
    /// <param name="k">The input, from that word's first.</param>
    public static int Integer(byte* words, int column, int k) => *WordAt(words, column, k) >> Shift(k) & 15;

    private static void WriteGroup<TGroups>(byte* group, int column, Half scale, Half least, ReadOnlySpan<byte> integers)
        where TGroups : struct, IInt4Groups
    {
        *ScaleAt(group, column) = BitConverter.HalfToUInt16Bits(scale);
        if (TGroups.HasLeast)
            *ScaleAt(group + ScaleBytes, column) = BitConverter.HalfToUInt16Bits(least);
        for (int k = 0; k < integers.Length; k++)
            *WordAt(group + HeaderBytes<TGroups>(), column, k) |= integers[k] << Shift(k);
    }

    private static ushort* ScaleAt(byte* group, int column) => (ushort*)group + column % 16 * 2 + column / 16;

    private static int* WordAt(byte* words, int column, int k) => (int*)(words + k / WordInputs * WordBytes) + column;

    private static int Shift(int k) => k % WordInputs / 2 * 4 + k % 2 * 16;

    private static int GroupBytes<TGroups>()
        where TGroups : struct, IInt4Groups => HeaderBytes<TGroups>() + GroupInputs / WordInputs * WordBytes;
}
