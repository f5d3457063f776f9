namespace KvTiers.Orleans.Placement;

/// <summary>Keeps what is known of one silo: its last report, the summary of its blocks, and what was placed there since.</summary>
internal sealed class SiloState
{
    /// <summary>Conversations in its memory by its last report.</summary>
    public int Load { get; set; }

    /// <summary>Its blocks at version <see cref="Version"/>; null = they were none that can be read.</summary>
    public BlockSummary? Summary { get; set; }

    /// <summary>The version that <see cref="Summary"/> has.</summary>
    public long Version { get; set; }

    /// <summary>When it last reported, on the reader's clock.</summary>
    public DateTimeOffset SeenAt { get; set; }

    /// <summary>Conversations placed there that its report cannot know of.</summary>
    public int PlacedSince { get; set; }
}
