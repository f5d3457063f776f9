using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>Packs matrices in the weight format that was asked for, or takes them as they were packed before.</summary>
internal sealed class MatrixPacker(ThreadTeam team, WeightFormat format, WeightArena arena, WeightCacheFile? cached)
{
    // Each holds nearly all that those after it hold.
    private static readonly PanelFormat[] Widths = [PanelFormat.F32, PanelFormat.BF16, PanelFormat.Int8, PanelFormat.Int8By32, PanelFormat.Int4Affine, PanelFormat.Int4];
    private readonly List<PackedMatrix> _packed = [];

    /// <summary>Every matrix, in the order in which they were asked for.</summary>
    public IReadOnlyList<PackedMatrix> Packed => _packed;

    /// <summary>Packs matrices one below the other.</summary>
    public PackedMatrix Pack(params ReadOnlySpan<TensorMatrix> parts)
    {
        PanelFormat panels = FormatOf(parts);
        int outputs = 0;
        foreach (TensorMatrix part in parts)
            outputs += part.Outputs;
        return Keep(cached?.TryTake(panels, parts[0].Inputs, outputs) ?? PackedMatrix.Pack(team, panels, arena, [.. parts]));
    }

    /// <summary>Packs a matrix as 32-bit floats, whatever was asked for.</summary>
    public PackedMatrix PackFloats(TensorMatrix matrix) =>
        Keep(cached?.TryTake(PanelFormat.F32, matrix.Inputs, matrix.Outputs) ?? PackedMatrix.Pack(team, PanelFormat.F32, arena, [matrix]));

    /// <summary>Packs two matrices side by side.</summary>
    public PackedMatrix PackPaired(TensorMatrix first, TensorMatrix second)
    {
        PanelFormat panels = FormatOf(first, second);
        return Keep(cached?.TryTake(panels, first.Inputs, PackedMatrix.PairedOutputs(first.Outputs)) ?? PackedMatrix.PackPaired(team, panels, first, second, arena));
    }

    private PackedMatrix Keep(PackedMatrix matrix)
    {
        _packed.Add(matrix);
        return matrix;
    }

    // Matrices that are packed together share a format: as stored, that is the widest of them.
    private PanelFormat FormatOf(params ReadOnlySpan<TensorMatrix> parts)
    {
        if (format == WeightFormat.F32)
            return PanelFormat.F32;
        if (format == WeightFormat.BF16)
            return PanelFormat.BF16;
        if (format == WeightFormat.Int8)
            return PanelFormat.Int8;
        if (format == WeightFormat.Int4)
            return PanelFormat.Int4;
        PanelFormat widest = parts[0].StoredFormat;
        foreach (TensorMatrix part in parts)
            widest = Wider(widest, part.StoredFormat);
        return widest;
    }

    private static PanelFormat Wider(PanelFormat one, PanelFormat other) => one == other ? one : Widths[Math.Min(Array.IndexOf(Widths, one), Array.IndexOf(Widths, other))];
}
