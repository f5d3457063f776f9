using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Serializers;
using StackExchange.Redis;

namespace KvTiers.Orleans.Hosting;

/// <summary>Puts conversations on a cluster.</summary>
public static class OrleansHostingExtensions
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Makes the process a silo: membership, grain directory and summaries on Redis, a grain for each conversation. Its grains host conversations once
    /// <see cref="SiloConversations.Open"/> was called.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IHostApplicationBuilder AddOrleansConversations(this IHostApplicationBuilder builder, OrleansConversationsOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ConfigurationOptions redis = RedisOptions(options.Redis);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<OrleansMetrics>();
        builder.Services.AddSingleton(provider => new SiloConversations(provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<OrleansMetrics>(), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(provider => new SiloView(options.LoadSlack, StaleAfter, provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<ISummaryChannel>(_ => new RedisSummaryChannel(options.Redis, options.ClusterId));
        AddSessionsCodec(builder.Services);
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
            silo.ConfigureEndpoints(options.Address, options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: false);
            silo.UseRedisClustering(clustering => clustering.ConfigurationOptions = redis);
            silo.UseRedisGrainDirectoryAsDefault(directory => directory.ConfigurationOptions = redis);
            silo.Configure<GrainCollectionOptions>(collection =>
            {
                collection.CollectionQuantum = options.IdleAfter / 2;
                collection.CollectionAge = options.IdleAfter;
            });
            silo.AddPlacementDirector<PrefixPlacement, PrefixPlacementDirector>();
            silo.AddIncomingGrainCallFilter<GrainCallMetrics>();
        });

        // After the silo: it is among the members by then.
        builder.Services.AddHostedService<SummaryExchange>();
        return builder;
    }

    internal static ConfigurationOptions RedisOptions(string configuration)
    {
        ConfigurationOptions options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        return options;
    }

    internal static void AddSessionsCodec(IServiceCollection services)
    {
        services.AddSerializer(serializer => serializer.Configure(WireNames.Register));
        services.TryAddSingleton<SessionsCodec>();
        services.AddSingleton<IGeneralizedCodec>(provider => provider.GetRequiredService<SessionsCodec>());
        services.AddSingleton<IGeneralizedCopier>(provider => provider.GetRequiredService<SessionsCodec>());
        services.AddSingleton<ITypeFilter>(provider => provider.GetRequiredService<SessionsCodec>());
    }
}
