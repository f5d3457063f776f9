using KvTiers.Orleans;
using KvTiers.Orleans.Clustering;

namespace KvTiers.Silo.Hosting;

/// <summary>Has the code of a silo's start compiled on a processor that is idle while settings are read and routes are made.</summary>
/// <remarks>A silo of its own is put together and thrown away. It opens nothing, is in no cluster, and is never started.</remarks>
internal static class SiloWarmUp
{
    /// <summary>Begins; nobody needs to wait.</summary>
    public static void Begin()
    {
        if (Environment.ProcessorCount > 1) _ = Task.Run(Run);
    }

    private static void Run()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleans(silo =>
        {
            silo.UseStandaloneSilo();
            silo.AddOrleansConversations();
        });
        using IHost host = builder.Build();
        _ = host.Services.GetServices<IHostedService>();
        _ = host.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
    }
}
