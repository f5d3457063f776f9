namespace KvTiers.Inference.Kernels;

/// <summary>Weights around zero: scale · (integer − 8).</summary>
internal readonly struct Int4Symmetric : IInt4Groups
{
    public static int Offset => -8;

    public static bool HasLeast => false;
}
