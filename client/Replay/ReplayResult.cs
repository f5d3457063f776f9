namespace KvTiers.Cli.Replay;

/// <summary>What a replay found, as <c>--json</c> writes it.</summary>
/// <param name="Blocks">Blocks of all requests together.</param>
/// <param name="Capacities">One entry for each capacity, in the order asked for.</param>
internal sealed record ReplayResult(int Blocks, IReadOnlyList<CapacityHits> Capacities);
