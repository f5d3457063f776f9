namespace KvTiers.Inference.Kernels;

/// <summary>
/// A panel of 8-bit weights: weight (column, k) is scale · integer, with one scale per column and per group of inputs, so that one large
/// weight costs only its own group precision.
/// </summary>
/// <remarks>
/// Group after group: 16 words with the scales, as <see cref="IPanelScales"/> has them; then a row of 64 bytes per two inputs,
/// byte 2 · column + k mod 2, so that one 32-bit lane holds the two weights of one output. The last group has as many rows as inputs are left.
/// </remarks>
internal static unsafe class PanelInt8
{
    /// <summary>Bytes of a group's scales.</summary>
    public const int ScaleBytes = 64;

    /// <summary>Bytes of the weights that meet two inputs.</summary>
    public const int PairBytes = 64;

    private const float Greatest = 127;

    /// <summary>Pairs of inputs, the last one perhaps with one input.</summary>
    public static int Pairs(int inputs) => (inputs + 1) / 2;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes<TScales>(int inputs)
        where TScales : struct, IPanelScales =>
        (long)((inputs + TScales.GroupInputs - 1) / TScales.GroupInputs) * ScaleBytes + (long)Pairs(inputs) * PairBytes;

    /// <summary>Rounds one column's weights into a panel of zeros.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="column">0 to 31.</param>
    /// <param name="weights">[inputs], finite.</param>
    public static void Write<TScales>(byte* panel, int column, ReadOnlySpan<float> weights)
        where TScales : struct, IPanelScales
    {
        for (int first = 0; first < weights.Length; first += TScales.GroupInputs, panel += GroupBytes<TScales>())
        {
            ReadOnlySpan<float> group = weights[first..Math.Min(first + TScales.GroupInputs, weights.Length)];
            float greatest = 0;
            foreach (float weight in group)
                greatest = Math.Max(greatest, Math.Abs(weight));
            ushort bits = TScales.Round(greatest / Greatest);
            float scale = TScales.Widen(bits);
            *ScaleAt(panel, column) = bits;
            if (scale == 0)
                continue;
            sbyte* target = (sbyte*)panel + ScaleBytes + column * 2;
            for (int k = 0; k < group.Length; k++)
                target[k / 2 * PairBytes + k % 2] = (sbyte)Math.Clamp(MathF.Round(group[k] / scale, MidpointRounding.ToEven), -Greatest, Greatest);
        }
    }

    /// <summary>Writes one column's integers and scales into a panel of zeros, as they are.</summary>
    public static void Write<TScales>(byte* panel, int column, GroupedWeights weights)
        where TScales : struct, IPanelScales
    {
        for (int first = 0, group = 0; first < weights.Integers.Length; first += TScales.GroupInputs, panel += GroupBytes<TScales>(), group++)
        {
            *ScaleAt(panel, column) = BitConverter.HalfToUInt16Bits(weights.Scales[group]);
            sbyte* target = (sbyte*)panel + ScaleBytes + column * 2;
            for (int k = 0; k < TScales.GroupInputs && first + k < weights.Integers.Length; k++)
                target[k / 2 * PairBytes + k % 2] = weights.Integers[first + k];
        }
    }

    /// <summary>The weight that one column's integer stands for.</summary>
    public static float Load<TScales>(byte* panel, int column, int k)
        where TScales : struct, IPanelScales
    {
        byte* group = panel + (long)(k / TScales.GroupInputs) * GroupBytes<TScales>();
        return Scale<TScales>(group, column) * ((sbyte*)group)[ScaleBytes + k % TScales.GroupInputs / 2 * PairBytes + column * 2 + k % 2];
    }

    /// <summary>A column's scale in the group that begins there.</summary>
    public static float Scale<TScales>(byte* group, int column)
        where TScales : struct, IPanelScales => TScales.Widen(*ScaleAt(group, column));

    private static ushort* ScaleAt(byte* group, int column) => (ushort*)group + column % 16 * 2 + column / 16;

    private static int GroupBytes<TScales>()
        where TScales : struct, IPanelScales => ScaleBytes + TScales.GroupInputs / 2 * PairBytes;
}
