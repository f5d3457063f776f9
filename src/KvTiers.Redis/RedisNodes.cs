using System.Net;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>The servers that a connection leads to: one, with replicas perhaps, or the nodes of a Redis Cluster.</summary>
/// <remarks>
/// Thread-safe. What it knows of a cluster is as of the last look, and it looks again when the client has met a slot that moved. Commands find their way
/// without it: the client follows slots by itself.
/// </remarks>
internal sealed class RedisNodes
{
    private readonly ConnectionMultiplexer _connection;
    private volatile ClusterConfiguration? _cluster;
    private int _isLooking;

    /// <param name="connection">With <see cref="ConfigurationOptions.AllowAdmin"/>: to the client, to ask which nodes there are is an administrator's command.</param>
    public RedisNodes(ConnectionMultiplexer connection)
    {
        _connection = connection;
        connection.HashSlotMoved += (_, _) => LookAgain();
    }

    /// <summary>Whether it is a Redis Cluster, as far as is known.</summary>
    public bool IsCluster => _cluster is not null;

    /// <summary>The servers that have keys of their own.</summary>
    public IReadOnlyList<EndPoint> Primaries => _cluster is { } cluster
        ? [.. cluster.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).Select(node => node.EndPoint).OfType<EndPoint>()]
        : [.. _connection.GetServers().Where(server => !server.IsReplica).Select(server => server.EndPoint)];

    /// <summary>Where a key is; null when that is no node in particular: there is one server, or nobody has the slot.</summary>
    public EndPoint? Of(RedisKey key) => _cluster?.GetBySlot(key)?.EndPoint;

    /// <summary>Looks at what the servers say they are.</summary>
    /// <returns>Whether they are a cluster.</returns>
    public async Task<bool> LookAsync()
    {
        // The answer comes after those by which the client learns what a server is.
        if (!_connection.GetServers().Any(server => server.IsConnected))
            await _connection.GetDatabase().PingAsync().ConfigureAwait(false);

        // A node that hangs does not keep the others from telling.
        List<Task<ClusterConfiguration?>> asked =
            [.. _connection.GetServers().Where(server => server.IsConnected && server.ServerType == ServerType.Cluster).Select(server => server.ClusterNodesAsync())];
        while (asked.Count > 0)
        {
            Task<ClusterConfiguration?> answer = await Task.WhenAny(asked).ConfigureAwait(false);
            asked.Remove(answer);
            if ((answer.IsCompletedSuccessfully || asked.Count == 0) && await answer.ConfigureAwait(false) is { } cluster)
            {
                _cluster = cluster;
                return true;
            }
        }

        return IsCluster;
    }

    private async void LookAgain()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) == 1)
            return;
        try
        {
            await LookAsync().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException)
        {
            // What was known stays in use.
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
        }
    }
}
