namespace KvTiers.Orleans.Placement;

/// <summary>What a silo published last.</summary>
/// <param name="Sequence">Counts its publications.</param>
/// <param name="Version">Changes with the summary.</param>
/// <param name="Load">Conversations in its memory.</param>
internal readonly record struct SiloReport(long Sequence, long Version, int Load);
