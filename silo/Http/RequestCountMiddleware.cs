using KvTiers.Silo.Operations.Metrics;

namespace KvTiers.Silo.Http;

/// <summary>Counts answers by method, route and status.</summary>
internal sealed class RequestCountMiddleware(RequestDelegate next, SiloMetrics metrics)
{
    /// <summary>Runs the request and counts its answer.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        // Looked up before the request runs: error handling clears the endpoint.
        string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
        await next(context);
        metrics.RequestAnswered(Method(context.Request.Method), route, context.Response.StatusCode);
    }

    // A caller can send any word as a method; labels must not multiply by it.
    private static string Method(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPatch(method) || HttpMethods.IsDelete(method) || HttpMethods.IsHead(method)
            ? method.ToUpperInvariant()
            : "OTHER";
}
