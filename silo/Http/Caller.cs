using KvTiers.Sessions.Access;

namespace KvTiers.Silo.Http;

/// <summary>Who sent a request. Stands in the request's features.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Key">The key that it was sent with; null = none is asked for.</param>
internal sealed record Caller(string Tenant, ApiKeyEntry? Key)
{
    /// <summary>Who sent the request.</summary>
    /// <exception cref="InvalidOperationException">The route is not for tenants.</exception>
    public static Caller Of(HttpContext context) => context.Features.Get<Caller>() ?? throw new InvalidOperationException("The route is not for tenants.");

    /// <summary>The tenant that sent the request.</summary>
    /// <exception cref="InvalidOperationException">The route is not for tenants.</exception>
    public static string TenantOf(HttpContext context) => Of(context).Tenant;
}
