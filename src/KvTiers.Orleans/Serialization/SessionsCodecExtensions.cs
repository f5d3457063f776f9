using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Serializers;

namespace KvTiers.Orleans.Serialization;

/// <summary>What silos and their clients both need to understand each other.</summary>
internal static class SessionsCodecExtensions
{
    /// <summary>Makes the records of conversations known to the serializer, by their names.</summary>
    public static void AddSessionsCodec(this IServiceCollection services)
    {
        services.AddSerializer(serializer => serializer.Configure(WireNames.Register));
        services.TryAddSingleton<SessionsCodec>();
        services.AddSingleton<IGeneralizedCodec>(provider => provider.GetRequiredService<SessionsCodec>());
        services.AddSingleton<IGeneralizedCopier>(provider => provider.GetRequiredService<SessionsCodec>());
        services.AddSingleton<ITypeFilter>(provider => provider.GetRequiredService<SessionsCodec>());
    }
}
