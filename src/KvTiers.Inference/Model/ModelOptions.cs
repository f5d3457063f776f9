using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>How a model is loaded and on what it runs. No setting but <see cref="WeightFormat"/> changes a bit of any result.</summary>
public sealed record ModelOptions
{
    /// <summary>How matrices are held in memory.</summary>
    public WeightFormat WeightFormat { get; init; } = WeightFormat.AsStored;

    /// <summary>Threads that compute, the caller of <see cref="LanguageModel.Forward"/> included: 1 to 64, or 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>The instruction set to use; <see langword="null"/> chooses the widest that the processor has.</summary>
    public KernelPath? KernelPath { get; init; }

    /// <summary>Rows that go through the layers together, 16 to 4,096. Bounds the scratch memory of large steps.</summary>
    public int RowTile { get; init; } = 512;

    /// <summary>
    /// Folder that keeps packed weights from one load to the next, so that later ones read them instead of packing; made when missing.
    /// <see langword="null"/> keeps none. A model file that changes without changing its size or its time of writing goes unnoticed.
    /// </summary>
    public string? WeightCacheFolder { get; init; }

    /// <summary>Throws when a setting is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        if (Threads is < 0 or > 64)
            throw new ArgumentOutOfRangeException(nameof(Threads), Threads, "Threads must be 0 (one per processor) or 1 to 64.");
        if (RowTile is < 16 or > 4096)
            throw new ArgumentOutOfRangeException(nameof(RowTile), RowTile, "RowTile must be 16 to 4,096 rows.");
        if (!Enum.IsDefined(WeightFormat))
            throw new ArgumentOutOfRangeException(nameof(WeightFormat), WeightFormat, "WeightFormat must be AsStored, F32, BF16, Int8 or Int4.");
    }
}
