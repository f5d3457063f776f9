using System.Net;
using KvTiers.Orleans;
using KvTiers.Orleans.Clustering;
using KvTiers.Orleans.Hosting;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using Orleans.Dashboard;

namespace KvTiers.Silo.Hosting;

/// <summary>Makes the server an Orleans silo, whose grains are the conversations: alone, or one of a cluster.</summary>
internal static class SiloComposition
{
    /// <summary>Adds the silo. After the model's host: it leaves the cluster before its model is taken down.</summary>
    /// <exception cref="StartException">The cluster's Redis is no address, or there is no free port.</exception>
    public static void Add(WebApplicationBuilder builder, SiloOptions options)
    {
        OrleansSettings settings = options.Orleans;
        try
        {
            builder.UseOrleans(silo =>
            {
                if (settings.Cluster is { } redis) silo.UseRedisCluster(ClusterOf(settings, redis));
                else silo.UseStandaloneSilo();
                if (settings.Dashboard) silo.AddDashboard();
                silo.AddOrleansConversations(new OrleansConversationsOptions
                {
                    IdleAfter = settings.IdleAfter,
                    Placement = settings.RandomPlacement ? ConversationPlacement.Random : ConversationPlacement.Prefix,
                    LoadSlack = settings.LoadSlack,
                    PublishEvery = settings.PublishEvery,
                    SummaryBytes = settings.SummaryBytes,
                });
            });

            // After the silo, so that it is stopped before it.
            builder.Services.AddHostedService<TurnDrain>();
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            throw new StartException($"KvTiers:Orleans: {Redacted.Message(e.Message, settings.Cluster)}");
        }
    }

    private static RedisClusterOptions ClusterOf(OrleansSettings settings, string redis) => new()
    {
        Redis = redis,
        ClusterId = settings.ClusterId,
        ServiceId = settings.ServiceId,
        Address = settings.Address ?? OwnAddress(),
        SiloPort = settings.SiloPort,
        GatewayPort = settings.GatewayPort,
    };

    // In a container: the address that its name has, for the other containers.
    private static IPAddress OwnAddress() =>
        Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))
        ?? throw new StartException(new SettingError("KvTiers:Orleans:Address", "auto", "an address, as this machine's own name has none but loopback").ToString());
}
