namespace KvTiers.Orleans.Placement;

/// <summary>Says what speaks for placing a conversation on a silo.</summary>
/// <param name="Run">Leading blocks of the conversation that it holds.</param>
/// <param name="Load">Conversations in its memory, with those just placed there.</param>
/// <param name="Rank">A number that all silos agree on for this conversation's first block and this silo; decides between equals.</param>
internal readonly record struct SiloStanding(int Run, int Load, ulong Rank);
