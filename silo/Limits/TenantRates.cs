using KvTiers.Sessions.Access;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Limits;

/// <summary>Requests a second and tokens a minute, of tenants and of keys, as the key file says now.</summary>
internal sealed class TenantRates(ApiKeys keys, IRates rates)
{
    /// <summary>Takes one request from what the tenant and the key may send.</summary>
    /// <returns>Null: it may come in. Else when it is worth trying again.</returns>
    public async ValueTask<TimeSpan?> TakeRequestAsync(string tenant, ApiKeyEntry? key, CancellationToken cancellationToken)
    {
        if (RateRule.Requests(key?.RequestsPerSecond) is { } own && await rates.TryTakeAsync(KeyRequests(key!), own, cancellationToken) is { } wait) return wait;
        return RateRule.Requests(keys.LimitsOf(tenant).RequestsPerSecond) is { } rule ? await rates.TryTakeAsync(Requests(tenant), rule, cancellationToken) : null;
    }

    /// <summary>When the tenant may begin something that takes tokens; null = now.</summary>
    public TimeSpan? TokensOwedFor(string tenant) => TokensOf(tenant) is { Level: < 1 } state ? state.OneIn : null;

    /// <summary>Counts tokens that a tenant has taken.</summary>
    public void Charge(string tenant, long tokens)
    {
        if (RateRule.Tokens(keys.LimitsOf(tenant).TokensPerMinute) is { } rule) rates.Charge(Tokens(tenant), rule, tokens);
    }

    /// <summary>How the tenant's requests stand, or the key's if it has fewer left; null = neither has a limit.</summary>
    public RateState? RequestsOf(string tenant, ApiKeyEntry? key)
    {
        RateState? all = RateRule.Requests(keys.LimitsOf(tenant).RequestsPerSecond) is { } rule ? rates.StateOf(Requests(tenant), rule) : null;
        RateState? own = RateRule.Requests(key?.RequestsPerSecond) is { } ruleOfKey ? rates.StateOf(KeyRequests(key!), ruleOfKey) : null;
        return all is null || own?.Level < all.Value.Level ? own ?? all : all;
    }

    /// <summary>How the tenant's tokens stand; null = they have no limit.</summary>
    public RateState? TokensOf(string tenant) => RateRule.Tokens(keys.LimitsOf(tenant).TokensPerMinute) is { } rule ? rates.StateOf(Tokens(tenant), rule) : null;

    private static string Requests(string tenant) => $"requests:{tenant}";

    private static string Tokens(string tenant) => $"tokens:{tenant}";

    // A key's id cannot hold what stands between the two.
    private static string KeyRequests(ApiKeyEntry key) => $"requests:{key.Tenant}/{key.Id}";
}
