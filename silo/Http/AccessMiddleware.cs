using KvTiers.Sessions.Access;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Http;

/// <summary>Finds out who calls, and turns away who may not.</summary>
/// <remarks>
/// The key comes as <c>Authorization: Bearer …</c>, or in <c>x-api-key</c> or <c>api-key</c>. Which methods a route has is no secret.
/// </remarks>
internal sealed class AccessMiddleware(RequestDelegate next, ApiKeys keys)
{
    /// <summary>Runs the request when its caller may make it.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        AccessLevel level = context.GetEndpoint()?.Metadata.GetMetadata<AccessRequirement>()?.Level ?? AccessLevel.Tenant;
        // A route that takes OPTIONS itself has its own endpoint, and its own caller.
        bool asksForMethods = HttpMethods.IsOptions(context.Request.Method) && context.GetEndpoint() is not RouteEndpoint;
        if (level == AccessLevel.Anyone || asksForMethods) return next(context);

        string? key = KeyOf(context.Request);
        ApiKeyEntry? known = keys.Find(key);
        if (level == AccessLevel.Administrator)
        {
            if (keys.Required && known is not { Tenant: AccessFile.Administrator }) throw Refuse(key, known is not null);
            return next(context);
        }

        if (keys.Required && known is null or { Tenant: AccessFile.Administrator }) throw Refuse(key, known is not null);
        context.Features.Set(new Caller(known?.Tenant ?? ApiKeys.OnlyTenant, known));
        return next(context);
    }

    private static ApiException Refuse(string? key, bool known) =>
        key is null ? ApiException.Unauthorized("An API key is missing. Send it as 'Authorization: Bearer KEY'.")
        : known ? ApiException.Forbidden("This API key may not do this: admin keys open /admin and /metrics, tenants' keys everything else.", "wrong_kind_of_key")
        : ApiException.Unauthorized("The API key is not known, or has expired.");

    private static string? KeyOf(HttpRequest request)
    {
        const string Bearer = "Bearer ";
        string authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return authorization[Bearer.Length..].Trim();
        string key = request.Headers["x-api-key"].ToString();
        if (key.Length == 0) key = request.Headers["api-key"].ToString();
        return key.Length == 0 ? null : key;
    }
}
