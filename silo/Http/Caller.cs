namespace KvTiers.Silo.Http;

/// <summary>Who sent a request. Stands in the request's features.</summary>
/// <param name="Tenant">The tenant.</param>
internal sealed record Caller(string Tenant)
{
    /// <summary>The tenant that sent the request.</summary>
    /// <exception cref="InvalidOperationException">The route is not for tenants.</exception>
    public static string TenantOf(HttpContext context) =>
        context.Features.Get<Caller>()?.Tenant ?? throw new InvalidOperationException("The route is not for tenants.");
}
