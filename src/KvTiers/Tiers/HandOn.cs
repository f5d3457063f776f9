using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Takes a block that a tier evicts, before its place goes to another.</summary>
/// <param name="hash">The block.</param>
/// <param name="attributes">What goes with it.</param>
/// <param name="block">Its bytes, during the call.</param>
/// <param name="budget">What is left of the time of whoever needs the place.</param>
internal delegate void HandOn(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> block, StallBudget budget);
