using KvTiers.Silo.Http;
using KvTiers.Silo.Operations.Metrics;

namespace KvTiers.Silo.Operations;

/// <summary><c>GET /metrics</c>: every meter of the process as Prometheus text. For administrators, as it tells of all tenants together.</summary>
internal sealed class MetricsRoute(MetricCollector collector)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/metrics", AnswerAsync).WithMetadata(new AccessRequirement(AccessLevel.Administrator)).WithSummary("Every meter as Prometheus text.");

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusText.ContentType;
        return context.Response.WriteAsync(PrometheusText.Write(collector.Collect()), context.RequestAborted);
    }
}
