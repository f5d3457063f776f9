using KvTiers.Conversations;
using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Serializers;

namespace KvTiers.Orleans.Hosting;

/// <summary>Conversations as grains, on any silo and for any client.</summary>
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
        services.AddSingleton(provider => new SiloConversations(provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<OrleansMetrics>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new SiloView(options.LoadSlack, StaleAfter, provider.GetRequiredService<TimeProvider>()));
        AddSessionsCodec(services);
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionQuantum = options.IdleAfter / 2;
            collection.CollectionAge = options.IdleAfter;
        });
        silo.AddPlacementDirector<PrefixPlacement, PrefixPlacementDirector>();
        silo.AddIncomingGrainCallFilter<GrainCallMetrics>();
        silo.AddActivityPropagation();

        // After the silo: it is among the members by then.
        services.AddHostedService<SummaryExchange>();
        return silo;
    }

    /// <summary>Gives <see cref="IConversations"/> of the client's cluster to whoever asks for it.</summary>
    public static IClientBuilder AddOrleansConversations(this IClientBuilder client)
    {
        ArgumentNullException.ThrowIfNull(client);
        AddSessionsCodec(client.Services);
        client.AddActivityPropagation();
        client.Services.AddSingleton<IConversations>(provider => new ClusterConversations(provider.GetRequiredService<IClusterClient>()));
        return client;
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
