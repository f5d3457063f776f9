namespace KvTiers.Tests;

/// <summary>What a model-based run has come across, beyond what the cache counts itself.</summary>
internal sealed record ModelCoverage
{
    public int Splits { get; set; }

    public int PartialHits { get; set; }

    public int TruncationsIntoSharedBlocks { get; set; }

    public int Extensions { get; set; }

    public int Shrinks { get; set; }

    public int ExactLookups { get; set; }

    public int VagueLookups { get; set; }
}
