using System.Diagnostics;
using KvTiers.Silo.Operations.Metrics;

namespace KvTiers.Silo.Operations;

/// <summary>Counts answers by method, route and status, and names the request's span after them.</summary>
internal sealed class RequestTelemetryMiddleware(RequestDelegate next, SiloMetrics metrics)
{
    /// <summary>Runs the request and counts its answer.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        // Looked up before the request runs: error handling clears the endpoint.
        string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
        string method = Method(context.Request.Method);
        await next(context);

        int status = context.Response.StatusCode;
        metrics.RequestAnswered(method, route, status);
        if (Activity.Current is not { } span) return;
        span.DisplayName = $"{method} {route}";
        span.SetTag("http.request.method", method);
        span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError) span.SetStatus(ActivityStatusCode.Error);
    }

    // A caller can send any word as a method; labels must not multiply by it.
    private static string Method(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPatch(method) || HttpMethods.IsDelete(method) || HttpMethods.IsHead(method)
            ? method.ToUpperInvariant()
            : "OTHER";
}
