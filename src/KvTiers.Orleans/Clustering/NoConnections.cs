using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KvTiers.Orleans.Clustering;

/// <summary>The endpoint of a silo that is alone: it opens no socket and takes no connection.</summary>
internal sealed class NoConnections(EndPoint endpoint) : IConnectionListener
{
    private readonly TaskCompletionSource<ConnectionContext?> _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EndPoint EndPoint => endpoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _unbound.Task.WaitAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    public ValueTask DisposeAsync()
    {
        _unbound.TrySetResult(null);
        return default;
    }

    /// <summary>Makes such endpoints.</summary>
    internal sealed class Factory : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(new NoConnections(endpoint));
    }
}
