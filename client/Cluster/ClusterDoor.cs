using KvTiers.Sessions;

namespace KvTiers.Cli.Cluster;

/// <summary>A cluster's conversations, and the connection to it.</summary>
internal sealed record ClusterDoor(IConversations Conversations, IAsyncDisposable Connection) : IAsyncDisposable
{
    /// <summary>Connects to any of the cluster's silos.</summary>
    /// <exception cref="CliException">This program was built without Orleans.</exception>
    /// <exception cref="IOException">No silo can be reached.</exception>
    public static Task<ClusterDoor> OpenAsync(ClusterAddress address, CancellationToken cancellationToken) =>
#if WITH_ORLEANS
        ClusterConnection.OpenAsync(address, cancellationToken);
#else
        throw new CliException($"--cluster {address.Redis}: this program was built without Orleans; build it with -p:WithOrleans=true.");
#endif

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
