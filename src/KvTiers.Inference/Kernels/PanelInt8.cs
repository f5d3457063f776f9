namespace KvTiers.Inference.Kernels;

/// <summary>
/// A panel of 8-bit weights: weight (column, k) is scale · integer, with one scale per column and per group of 64 inputs, so that one large
/// weight costs only its own group precision.
/// </summary>
/// <remarks>
/// Group after group: 16 words with the scales, bfloat16 in the pairs of <see cref="PanelWeightsBF16"/>; then a row of 64 bytes per two inputs,
/// byte 2 · column + k mod 2, so that one 32-bit lane holds the two weights of one output. The last group has as many rows as inputs are left.
/// </remarks>
internal static unsafe class PanelInt8
{
    /// <summary>Inputs that share a scale.</summary>
    public const int GroupInputs = 64;

    /// <summary>Bytes of a group's scales.</summary>
    public const int ScaleBytes = 64;

    /// <summary>Bytes of the weights that meet two inputs.</summary>
    public const int PairBytes = 64;

    /// <summary>Input pairs of a group.</summary>
    public const int GroupPairs = GroupInputs / 2;

    private const int GroupBytes = ScaleBytes + GroupPairs * PairBytes;
    private const float Greatest = 127;

    /// <summary>Pairs of inputs, the last one perhaps with one input.</summary>
    public static int Pairs(int inputs) => (inputs + 1) / 2;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes(int inputs) => (long)((inputs + GroupInputs - 1) / GroupInputs) * ScaleBytes + (long)Pairs(inputs) * PairBytes;

    /// <summary>Rounds one column's weights into a panel of zeros.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="column">0 to 31.</param>
    /// <param name="weights">[inputs], finite.</param>
    public static void Write(byte* panel, int column, ReadOnlySpan<float> weights)
    {
        for (int first = 0; first < weights.Length; first += GroupInputs, panel += GroupBytes)
        {
            ReadOnlySpan<float> group = weights[first..Math.Min(first + GroupInputs, weights.Length)];
            float greatest = 0;
            foreach (float weight in group)
                greatest = Math.Max(greatest, Math.Abs(weight));
            ushort bits = BFloat16.Round(greatest / Greatest);
            float scale = BFloat16.Widen(bits);
            ((ushort*)panel)[column % 16 * 2 + column / 16] = bits;
            if (scale == 0)
                continue;
            sbyte* target = (sbyte*)panel + ScaleBytes + column * 2;
            for (int k = 0; k < group.Length; k++)
                target[k / 2 * PairBytes + k % 2] = (sbyte)Math.Clamp(MathF.Round(group[k] / scale, MidpointRounding.ToEven), -Greatest, Greatest);
        }
    }

    /// <summary>The weight that one column's integer stands for.</summary>
    public static float Load(byte* panel, int column, int k)
    {
        byte* group = panel + (long)(k / GroupInputs) * GroupBytes;
        return Scale(group, column) * ((sbyte*)group)[ScaleBytes + k % GroupInputs / 2 * PairBytes + column * 2 + k % 2];
    }

    /// <summary>A column's scale in the group that begins there.</summary>
    public static float Scale(byte* group, int column) => PanelWeightsBF16.Load(group, column);
}
