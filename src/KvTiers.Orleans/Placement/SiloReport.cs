namespace KvTiers.Orleans.Placement;

/// <summary>What a silo says of itself.</summary>
[GenerateSerializer]
[Immutable]
[Alias("kvt.silo-report")]
internal sealed record SiloReport
{
    /// <summary>Changes with the blocks that it holds.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>Conversations in its memory.</summary>
    [Id(1)]
    public required int Load { get; init; }

    /// <summary>The bits of its <see cref="BlockSummary"/>; null = whoever asked knows that version.</summary>
    [Id(2)]
    public byte[]? Blocks { get; init; }
}
