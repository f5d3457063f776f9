namespace KvTiers.Silo.Http;

/// <summary>Who may call a route. Stands in the route's metadata; a route without it is for tenants.</summary>
internal enum AccessLevel
{
    /// <summary>Callers with a tenant's key.</summary>
    Tenant,

    /// <summary>Anyone: health checks.</summary>
    Anyone,

    /// <summary>Callers with an admin key.</summary>
    Administrator,
}
