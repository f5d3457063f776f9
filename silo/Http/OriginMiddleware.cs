using KvTiers.Silo.Configuration;
using Microsoft.Net.Http.Headers;

namespace KvTiers.Silo.Http;

/// <summary>Turns away web pages and host names that are not allowed, and says which setting allows them.</summary>
/// <remarks>
/// Without keys the server is for this machine alone: host and origin must be allowed ones, or a page from elsewhere, open in a browser here, could send
/// requests of its own. With keys any host is good, and of a page that is not allowed the browser's question beforehand (preflight) is refused alone.
/// </remarks>
internal sealed class OriginMiddleware(RequestDelegate next, ApiKeys keys, OriginRules rules)
{
    /// <summary>Runs the request when it comes from where it may.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string origin = request.Headers.Origin.ToString();
        bool isPreflight = HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);
        if (!keys.Required && !rules.AllowsHost(request.Host.Host))
        {
            throw ApiException.Forbidden(
                $"Without API keys the server answers only under a loopback name, not as '{request.Host.Host}'. KvTiers:AllowedHosts:0={request.Host.Host} allows this one.", "not_local");
        }

        if (origin.Length > 0 && (!keys.Required || isPreflight) && !rules.AllowsOrigin(origin))
        {
            throw ApiException.Forbidden(
                $"Web pages of the origin '{origin}' may not use this server. KvTiers:Cors:Origins:0={origin} allows them, and a scheme such as app:// all of its pages.", "origin_not_allowed");
        }

        // A page from the web asks before it may reach an address of this machine.
        if (isPreflight && request.Headers.ContainsKey("Access-Control-Request-Private-Network"))
            context.Response.Headers["Access-Control-Allow-Private-Network"] = "true";
        return next(context);
    }
}
