using KvTiers.Conversations;
using KvTiers.Sessions.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KvTiers.Orleans.Clients;

/// <summary>A connection to a cluster from a process that is no silo.</summary>
public sealed class ClusterClient : IAsyncDisposable
{
    private readonly IHost _host;

    private ClusterClient(IHost host)
    {
        _host = host;
        Conversations = host.Services.GetRequiredService<IConversations>();
    }

    /// <summary>The cluster's conversations.</summary>
    public IConversations Conversations { get; }

    /// <summary>Connects to any of the silos.</summary>
    /// <exception cref="ArgumentException">An option breaks its rule.</exception>
    /// <exception cref="IOException">No silo can be reached.</exception>
    public static async Task<ClusterClient> ConnectAsync(ClusterClientOptions options, CancellationToken cancellationToken = default)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(client => client.UseRedisCluster(options).AddOrleansConversations());
        IHost host = builder.Build();
        try
        {
            await host.StartAsync(cancellationToken).ConfigureAwait(false);
            return new(host);
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException or StackExchange.Redis.RedisException)
        {
            host.Dispose();
            throw new IOException(
                $"No silo of the cluster '{options.ClusterId}' can be reached by way of Redis at {Redacted.ConnectionString(options.Redis)}: {Redacted.Message(exception.Message, options.Redis)}",
                Redacted.Inner(exception, options.Redis));
        }
    }

    /// <summary>Leaves the cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().ConfigureAwait(false);
        _host.Dispose();
    }
}
