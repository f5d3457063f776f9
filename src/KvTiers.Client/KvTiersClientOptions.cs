namespace KvTiers.Client;

/// <summary>Where the server is and how to talk to it.</summary>
public sealed class KvTiersClientOptions
{
    /// <summary>The tenant of a server without API keys.</summary>
    public const string DefaultTenant = "default";

    /// <summary>Longest <see cref="SilenceLimit"/>.</summary>
    public static readonly TimeSpan MaxSilenceLimit = TimeSpan.FromDays(1);

    /// <summary>The server's address: an absolute http or https URL. A path in it is kept, as behind a proxy.</summary>
    public Uri BaseAddress { get; set; } = new("http://127.0.0.1:5080");

    /// <summary>API key, sent as a bearer token; null = the server has none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// The tenant that the API key belongs to. The server goes by the key; calls for another tenant are refused here, so that none
    /// ends up in the wrong place.
    /// </summary>
    public string Tenant { get; set; } = DefaultTenant;

    /// <summary>Name of the model for chat completions that name none; null = whichever the server has loaded.</summary>
    public string? Model { get; set; }

    /// <summary>
    /// Longest wait for an answer, or for the next event of a stream; above zero, at most one day. Longer prompts compute for longer
    /// before the first token.
    /// </summary>
    public TimeSpan SilenceLimit { get; set; } = TimeSpan.FromMinutes(5);
}
