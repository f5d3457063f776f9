using KvTiers.Orleans.Clients;

namespace KvTiers.Cli.Cluster;

/// <summary>Opens a cluster by its Orleans client.</summary>
internal static class ClusterConnection
{
    public static async Task<ClusterDoor> OpenAsync(ClusterAddress address, CancellationToken cancellationToken)
    {
        var options = new ClusterClientOptions { Redis = address.Redis, ClusterId = address.Id, ServiceId = address.Id };
        ClusterClient client = await ClusterClient.ConnectAsync(options, cancellationToken).ConfigureAwait(false);
        return new(client.Conversations, client);
    }
}
