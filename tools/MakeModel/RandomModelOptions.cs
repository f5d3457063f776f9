namespace KvTiers.MakeModel;

/// <summary>How a random model is drawn and stored.</summary>
public sealed record RandomModelOptions
{
    /// <summary>Same shape, seed and type: same bytes. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Element type of all weights. Default bf16.</summary>
    public TensorType Type { get; init; } = TensorType.BF16;

    /// <summary>Weights are spread over files of at most this many bytes of data (a larger tensor has a file of its own). Null = one file.</summary>
    public long? MaxShardBytes { get; init; }
}
