using KvTiers.Conversations;
using KvTiers.Orleans.Clustering;
using KvTiers.Orleans.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace KvTiers.Orleans.Clients;

/// <summary>Conversations of a cluster for a .NET back end, without HTTP between them.</summary>
public static class ClusterClientExtensions
{
    /// <summary>Finds the silos by the Redis server that they find each other by.</summary>
    /// <exception cref="ArgumentException">An option breaks its rule.</exception>
    public static IClientBuilder UseRedisCluster(this IClientBuilder client, ClusterClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
        client.UseRedisClustering(clustering => clustering.ConfigurationOptions = SiloClusteringExtensions.RedisOptions(options.Redis));
        return client;
    }

    /// <summary>Gives <see cref="IConversations"/> of the client's cluster to whoever asks for it.</summary>
    public static IClientBuilder AddOrleansConversations(this IClientBuilder client)
    {
        ArgumentNullException.ThrowIfNull(client);
        client.Services.AddSessionsCodec();
        client.AddActivityPropagation();
        client.Services.AddSingleton<IConversations>(provider => new ClusterConversations(provider.GetRequiredService<IClusterClient>()));
        return client;
    }
}
