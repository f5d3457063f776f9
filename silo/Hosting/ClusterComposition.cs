using System.Net;
using KvTiers.Orleans.Hosting;
using KvTiers.Sessions;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Hosting;

/// <summary>Puts the server's conversations on an Orleans cluster.</summary>
internal static class ClusterComposition
{
    /// <summary>Adds the silo. After the model's host: it leaves the cluster before its model is taken down.</summary>
    /// <exception cref="StartException">The cluster's Redis is no address.</exception>
    public static void Add(WebApplicationBuilder builder, SiloOptions options)
    {
        OrleansSettings settings = options.Orleans!;
        string redis = settings.Redis ?? options.StoreRedis ?? options.Redis!;
        try
        {
            builder.AddOrleansConversations(new OrleansConversationsOptions
            {
                Redis = redis,
                ClusterId = settings.ClusterId,
                ServiceId = settings.ServiceId,
                Address = settings.Address ?? OwnAddress(),
                SiloPort = settings.SiloPort,
                GatewayPort = settings.GatewayPort,
                IdleAfter = settings.IdleAfter,
                Placement = settings.RandomPlacement ? ConversationPlacement.Random : ConversationPlacement.Prefix,
                LoadSlack = settings.LoadSlack,
                PublishEvery = settings.PublishEvery,
                SummaryBytes = settings.SummaryBytes,
            });
        }
        catch (ArgumentException e)
        {
            throw new StartException($"KvTiers:Orleans: {Redacted.Message(e.Message, redis)}");
        }

        builder.Services.AddSingleton<ConversationDoor>(provider => local => provider.GetRequiredService<SiloConversations>().Open(local));
    }

    // In a container: the address that its name has, for the other containers.
    private static IPAddress OwnAddress() =>
        Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))
        ?? throw new StartException(new SettingError("KvTiers:Orleans:Address", "auto", "an address, as this machine's own name has none but loopback").ToString());
}
