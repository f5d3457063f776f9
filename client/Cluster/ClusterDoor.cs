using KvTiers.Conversations;
using KvTiers.Orleans.Clients;

namespace KvTiers.Cli.Cluster;

/// <summary>A cluster's conversations, and the connection to it.</summary>
internal sealed record ClusterDoor(IConversations Conversations, IAsyncDisposable Connection) : IAsyncDisposable
{
    /// <summary>Connects to any of the cluster's silos.</summary>
    /// <exception cref="IOException">No silo can be reached.</exception>
    public static async Task<ClusterDoor> OpenAsync(ClusterAddress address, CancellationToken cancellationToken)
    {
        var options = new ClusterClientOptions { Redis = address.Redis, ClusterId = address.Id, ServiceId = address.Id };
        ClusterClient client = await ClusterClient.ConnectAsync(options, cancellationToken).ConfigureAwait(false);
        return new(client.Conversations, client);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
