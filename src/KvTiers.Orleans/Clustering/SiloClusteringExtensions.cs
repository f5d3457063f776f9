using System.Net;
using KvTiers.Sessions.Secrets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using StackExchange.Redis;

namespace KvTiers.Orleans.Clustering;

/// <summary>The two ways of a silo: alone in its process, or one of a cluster over Redis.</summary>
public static class SiloClusteringExtensions
{
    /// <summary>A silo that is alone: membership and grain directory in this process, no port, no Redis.</summary>
    /// <remarks>Any number of them run on one machine without knowing of each other.</remarks>
    public static ISiloBuilder UseStandaloneSilo(this ISiloBuilder silo)
    {
        ArgumentNullException.ThrowIfNull(silo);

        // The endpoint is the silo's name in its own membership and nothing more.
        silo.Services.AddSingleton<IMembershipTable, LoneMembership>();
        silo.ConfigureEndpoints(IPAddress.Loopback, EndpointOptions.DEFAULT_SILO_PORT, gatewayPort: 0, listenOnAnyHostAddress: false);
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("kvtiers", "kvtiers"));
        foreach (ServiceDescriptor listeners in silo.Services.Where(service => service.IsKeyedService && service.ServiceType == typeof(IConnectionListenerFactory)).ToArray())
        {
            silo.Services.Remove(listeners);
            silo.Services.AddKeyedSingleton<IConnectionListenerFactory, NoConnections.Factory>(listeners.ServiceKey);
        }

        return silo;
    }

    /// <summary>A silo of a cluster: membership and grain directory are on Redis.</summary>
    /// <exception cref="ArgumentException">An option breaks its rule.</exception>
    /// <exception cref="IOException">A port is another process's, or was to be picked and none is free.</exception>
    public static ISiloBuilder UseRedisCluster(this ISiloBuilder silo, RedisClusterOptions options)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ConfigurationOptions redis = RedisOptions(options.Redis);
        var ports = new PortClaims();
        int siloPort = ports.Claim(options.SiloPort, EndpointOptions.DEFAULT_SILO_PORT, options.Address);
        int gatewayPort = ports.Claim(options.GatewayPort, EndpointOptions.DEFAULT_GATEWAY_PORT, options.Address);
        silo.Services.AddHostedService(_ => ports);
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
        silo.ConfigureEndpoints(options.Address, siloPort, gatewayPort, listenOnAnyHostAddress: false);
        silo.UseRedisClustering(clustering => clustering.ConfigurationOptions = redis);
        silo.UseRedisGrainDirectoryAsDefault(directory => directory.ConfigurationOptions = redis);
        return silo;
    }

    internal static ConfigurationOptions RedisOptions(string configuration)
    {
        try
        {
            ConfigurationOptions options = ConfigurationOptions.Parse(configuration);
            options.AbortOnConnectFail = false;
            return options;
        }
        catch (ArgumentException exception)
        {
            // Without the inner one: its message may quote the setting.
            throw new ArgumentException($"Redis is {Redacted.ConnectionString(configuration)}; it cannot be read: {Redacted.Message(exception.Message, configuration)}", nameof(configuration));
        }
    }
}
