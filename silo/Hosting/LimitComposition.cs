using KvTiers.Silo.Configuration;
using KvTiers.Silo.Limits;

namespace KvTiers.Silo.Hosting;

/// <summary>Makes limits hold over all servers that share a conversation store, where it is on Redis; else for this server alone.</summary>
internal static class LimitComposition
{
    /// <summary>Adds what limits need.</summary>
    public static void Add(IServiceCollection services, SiloOptions options)
    {
        bool isShared = options is { Store: StoreKind.Redis, ApiKeyFile: not null };
        if (isShared)
        {
            services.AddSingleton(provider => new FleetRedis(StoreSettings.AddressOf(options)!, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IRates, RedisRates>();
            services.AddHostedService<FleetTalk>();
        }
        else
        {
            services.AddSingleton<IRates, LocalRates>();
        }

        services.AddSingleton(provider => new Fleet(isShared ? provider.GetRequiredService<FleetRedis>() : null, options.Name, provider.GetRequiredService<TimeProvider>()));
    }
}
