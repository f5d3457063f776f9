using KvTiers.Orleans.Hosting;
using KvTiers.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace KvTiers.Orleans.Clients;

/// <summary>Conversations of a cluster for a .NET back end, without HTTP between them.</summary>
public static class ClusterClientExtensions
{
    /// <summary>Connects when the host starts, and gives <see cref="IConversations"/> to whoever asks for it.</summary>
    /// <exception cref="ArgumentException">An option breaks its rule.</exception>
    public static IHostApplicationBuilder AddClusterConversations(this IHostApplicationBuilder builder, ClusterClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        OrleansHostingExtensions.AddSessionsCodec(builder.Services);
        builder.Services.AddSingleton<IConversations>(provider => new ClusterConversations(provider.GetRequiredService<IClusterClient>()));
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
            client.UseRedisClustering(clustering => clustering.ConfigurationOptions = OrleansHostingExtensions.RedisOptions(options.Redis));
        });
        return builder;
    }
}
