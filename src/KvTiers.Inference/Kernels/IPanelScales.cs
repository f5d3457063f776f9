using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <summary>The scales of 32 columns in 16 words: word c holds column c below and column c + 16 above, 16 bits each.</summary>
internal unsafe interface IPanelScales
{
    /// <summary>Inputs that share a scale.</summary>
    static abstract int GroupInputs { get; }

    /// <summary>Columns 0–15 and 16–31.</summary>
    static abstract void Load(byte* words, out Vector512<float> low, out Vector512<float> high);

    /// <summary>The lower or the upper columns of eight neighbouring words.</summary>
    static abstract Vector256<float> Load(byte* words, bool upper);

    /// <summary>The value of 16 bits.</summary>
    static abstract float Widen(ushort bits);

    /// <summary>The nearest value there is, ties to even.</summary>
    static abstract ushort Round(float value);
}
