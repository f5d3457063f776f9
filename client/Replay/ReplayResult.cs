namespace KvTiers.Cli.Replay;

/// <summary>What a replay found, as <c>--json</c> writes it.</summary>
/// <param name="Blocks">Blocks of all requests together.</param>
/// <param name="Capacities">One entry for each cache of one tier, in the order asked for; empty when none was.</param>
/// <param name="Tiers">One entry for each of the tiers stacked on each other, the hot one first; empty when none was asked for.</param>
internal sealed record ReplayResult(int Blocks, IReadOnlyList<CapacityHits> Capacities, IReadOnlyList<CapacityHits> Tiers);
