using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>A way in which a GGUF file stores the elements of a row: block after block, each of so many elements.</summary>
/// <remarks>Layouts from the description of block types in the ggml project. Floats are computed as it writes them down, operation by operation.</remarks>
internal abstract unsafe class GgufElements
{
    /// <summary>Elements of the largest block.</summary>
    public const int MostBlockElements = 256;

    private static readonly Dictionary<uint, GgufElements> Supported = new()
    {
        [0] = new GgufPlain("F32", sizeof(float)),
        [1] = new GgufPlain("F16", sizeof(ushort)),
        [2] = new GgufQ4_0(),
        [3] = new GgufQ4_1(),
        [6] = new GgufQ5_0(),
        [7] = new GgufQ5_1(),
        [8] = new GgufQ8_0(),
        [12] = new GgufQ4K(),
        [13] = new GgufQ5K(),
        [14] = new GgufQ6K(),
        [20] = new GgufTable("IQ4_NL", 18, isExponent: false, [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]),
        [30] = new GgufPlain("BF16", sizeof(ushort)),
        [39] = new GgufTable("MXFP4", 17, isExponent: true, [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]),
    };

    private static readonly Dictionary<uint, string> OtherNames = new()
    {
        [9] = "Q8_1",
        [10] = "Q2_K",
        [11] = "Q3_K",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [23] = "IQ4_XS",
        [24] = "I8",
        [25] = "I16",
        [26] = "I32",
        [27] = "I64",
        [28] = "F64",
        [29] = "IQ1_M",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
    };

    /// <summary>The name that files and tools give it.</summary>
    public abstract string Name { get; }

    /// <summary>Elements of a block.</summary>
    public abstract int BlockElements { get; }

    /// <summary>Bytes of a block.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>The format of panels in which matrices of it are held unless another one is asked for.</summary>
    public abstract PanelFormat Panels { get; }

    /// <summary>The type of that number.</summary>
    /// <exception cref="ModelFormatException">There is none, or it is not supported.</exception>
    public static GgufElements Find(string path, string tensor, uint number) => Supported.TryGetValue(number, out GgufElements? elements)
        ? elements
        : throw new ModelFormatException(
            path, tensor, $"has elements of type {number}{(OtherNames.TryGetValue(number, out string? name) ? $", {name}" : "")}; supported are {string.Join(", ", Supported.Values.Select(type => type.Name))}.");

    /// <summary>The elements of a block as floats.</summary>
    /// <param name="block">Its first byte.</param>
    /// <param name="target">[BlockElements].</param>
    public abstract void Read(byte* block, Span<float> target);

    /// <summary>The elements of a block as integers in groups of 32, where panels of this format hold them so.</summary>
    /// <param name="block">Its first byte.</param>
    /// <param name="format">A format with groups of 32 inputs.</param>
    /// <param name="integers">[BlockElements].</param>
    /// <param name="scales">[BlockElements / 32].</param>
    /// <param name="least">[BlockElements / 32]; for formats that have them.</param>
    /// <returns>False where they do not; what was written then means nothing.</returns>
    public virtual bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least) => false;

    /// <summary>A 16-bit float of the file.</summary>
    protected static Half HalfAt(byte* at) => BitConverter.UInt16BitsToHalf((ushort)(at[0] | at[1] << 8));

    /// <summary>Gives integers from 0 to 15 the form that panels have, around 8 or from a least value upwards.</summary>
    /// <returns>False when a scale or least value is no finite 16-bit float, or the format is another.</returns>
    protected static bool Group(PanelFormat format, float scale, float least, ref Half keptScale, ref Half keptLeast)
    {
        if (format != PanelFormat.Int4Affine)
            return false;
        keptScale = (Half)scale;
        keptLeast = (Half)least;
        return Half.IsFinite(keptScale) && Half.IsFinite(keptLeast);
    }
}
