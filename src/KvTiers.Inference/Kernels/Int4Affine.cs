namespace KvTiers.Inference.Kernels;

/// <summary>Weights from a least one upwards: scale · integer + least.</summary>
internal readonly struct Int4Affine : IInt4Groups
{
    public static int Offset => 0;

    public static bool HasLeast => true;
}
