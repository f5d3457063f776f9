using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <summary>Turns one row of a panel, the 32 weights that meet one input element, into floats.</summary>
internal unsafe interface IPanelWeights
{
    /// <summary>Bytes of a panel row.</summary>
    static abstract int RowBytes { get; }

    /// <summary>Asks for a panel row that is read soon.</summary>
    static abstract void Bring(byte* row);

    /// <summary>Columns 0–15 and 16–31.</summary>
    static abstract void Load(byte* row, out Vector512<float> low, out Vector512<float> high);

    /// <summary>Columns first to first + 7 and first + 16 to first + 23, for first 0 or 8.</summary>
    static abstract void Load(byte* row, int first, out Vector256<float> low, out Vector256<float> high);

    /// <summary>One column.</summary>
    static abstract float Load(byte* row, int column);
}
