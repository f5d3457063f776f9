using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Clustering;
using KvTiers.Orleans.Grains;
using KvTiers.Orleans.Hosting;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;

namespace KvTiers.Orleans;

/// <summary>Conversations as grains, on any silo.</summary>
public static class OrleansConversationsExtensions
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(30);

    /// <summary>A grain for each conversation, placed where its blocks are. The silo's grains host conversations once <see cref="SiloConversations.Open"/> was called.</summary>
    /// <remarks>How the silo is clustered is said apart: by <see cref="SiloClusteringExtensions"/>, or by any provider of Orleans.</remarks>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static ISiloBuilder AddOrleansConversations(this ISiloBuilder silo, OrleansConversationsOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(silo);
        options ??= new();
        options.Validate();
        IServiceCollection services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<OrleansMetrics>();
        services.AddSingleton<Residences>();
        services.AddSingleton(provider => new SiloConversations(
            new ClusterConversations(provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<Residences>()),
            provider.GetRequiredService<Residences>(),
            provider.GetRequiredService<OrleansMetrics>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new SiloView(options.LoadSlack, StaleAfter, provider.GetRequiredService<TimeProvider>()));
        services.AddSessionsCodec();
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionQuantum = options.IdleAfter / 2;
            collection.CollectionAge = options.IdleAfter;
        });
        silo.AddPlacementDirector<PrefixPlacement, PrefixPlacementDirector>();
        silo.AddGrainService<SiloReports>();
        services.AddSingleton<SiloReportsClient>();
        silo.AddIncomingGrainCallFilter<GrainCallMetrics>();
        silo.AddActivityPropagation();

        // After the silo: it is among the members by then.
        services.AddHostedService<ReportRounds>();
        return silo;
    }
}
