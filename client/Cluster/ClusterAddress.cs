namespace KvTiers.Cli.Cluster;

/// <summary>Which cluster to reach without HTTP.</summary>
/// <param name="Redis">Its Redis server, in StackExchange.Redis's own form.</param>
/// <param name="Id">Its cluster id, which is its service id too.</param>
internal sealed record ClusterAddress(string Redis, string Id);
