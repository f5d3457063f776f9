using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>Packs matrices in the weight format that was asked for.</summary>
internal sealed class MatrixPacker(ThreadTeam team, WeightFormat format)
{
    /// <summary>Packs matrices one below the other.</summary>
    public PackedMatrix Pack(params ReadOnlySpan<TensorMatrix> parts) => PackedMatrix.Pack(team, FormatOf(parts), [.. parts]);

    /// <summary>Packs two matrices side by side.</summary>
    public PackedMatrix PackPaired(TensorMatrix first, TensorMatrix second) =>
        PackedMatrix.PackPaired(team, FormatOf(first, second), first, second);

    // Matrices that are packed together share a format: as stored, that is BF16 only where all of them are.
    private PanelFormat FormatOf(params ReadOnlySpan<TensorMatrix> parts)
    {
        if (format == WeightFormat.F32)
            return PanelFormat.F32;
        if (format == WeightFormat.BF16)
            return PanelFormat.BF16;
        if (format == WeightFormat.Int8)
            return PanelFormat.Int8;
        foreach (TensorMatrix part in parts)
        {
            if (part.StoredFormat == PanelFormat.F32)
                return PanelFormat.F32;
        }
        return PanelFormat.BF16;
    }
}
