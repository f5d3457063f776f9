using KvTiers.Prefix;

namespace KvTiers;

/// <summary>A block that a lease has found for the first time, and holds.</summary>
internal readonly record struct ReusedBlock(int Slot, BlockHash Hash, BlockAttributes Attributes);
