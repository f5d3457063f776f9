using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>The result of reading blocks side by side.</summary>
/// <param name="Arrived">What was stored beside each of the leading blocks that arrived.</param>
/// <param name="Late">Ends when the store writes to no destination any more; null when it does not already.</param>
internal readonly record struct LaneRead(BlockAttributes[] Arrived, Task? Late);
