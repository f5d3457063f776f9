namespace KvTiers.Sessions.Hosting;

/// <summary>What a host has in memory at one moment.</summary>
/// <param name="Active">Conversations in memory.</param>
/// <param name="Busy">Those with a call under way or waiting.</param>
/// <param name="IdleLeasedBlocks">Hot blocks that the others hold between turns; a shared block counts for each.</param>
public sealed record LocalConversationsSnapshot(int Active, int Busy, long IdleLeasedBlocks);
