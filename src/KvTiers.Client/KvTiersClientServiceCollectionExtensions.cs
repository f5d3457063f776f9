using KvTiers.Client.Http;
using KvTiers.Conversations;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KvTiers.Client;

/// <summary>Adds the client to a service collection.</summary>
public static class KvTiersClientServiceCollectionExtensions
{
    /// <summary>
    /// <see cref="IConversations"/> and <see cref="IChatClient"/> over HTTP. Options that break a rule fail with an
    /// <see cref="OptionsValidationException"/> when the host starts or the client is first used.
    /// </summary>
    /// <param name="services">The collection.</param>
    /// <param name="configure">Sets the options; null = the defaults, or what else configures <see cref="KvTiersClientOptions"/>.</param>
    /// <returns>The builder of the client's <see cref="HttpClient"/>, for handlers of one's own.</returns>
    public static IHttpClientBuilder AddKvTiersClient(this IServiceCollection services, Action<KvTiersClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<KvTiersClientOptions> options = services.AddOptions<KvTiersClientOptions>().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KvTiersClientOptions>, KvTiersClientOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddTransient<IConversations>(provider => new HttpConversations(NewHttpClient(provider), Options(provider), Time(provider)));
        services.TryAddTransient<IChatClient>(provider => new KvTiersChatClient(NewHttpClient(provider), Options(provider), Time(provider)));
        // The silence limit takes the place of HttpClient's own, which would also cut long answers that are not streamed.
        return services.AddHttpClient(ServerApi.HttpClientName, http => http.Timeout = Timeout.InfiniteTimeSpan);
    }

    private static HttpClient NewHttpClient(IServiceProvider provider) =>
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(ServerApi.HttpClientName);

    private static KvTiersClientOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<KvTiersClientOptions>>().Value;

    private static TimeProvider Time(IServiceProvider provider) => provider.GetRequiredService<TimeProvider>();
}
