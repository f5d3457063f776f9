using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Operations;

/// <summary><c>GET /healthz</c>: the process answers. <c>GET /readyz</c>: it can take turns, perhaps without a tier, or why not. <c>GET /health</c>: the same as others have it.</summary>
internal sealed class HealthRoutes(ModelHost host, StopSignal stop)
{
    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var anyone = new AccessRequirement(AccessLevel.Anyone);
        routes.MapGet("/healthz", context => AnswerAsync(context, StatusCodes.Status200OK, new Health("ok", []))).WithMetadata(anyone).WithSummary("The process answers.");
        routes.MapGet("/readyz", ReadyAsync).WithMetadata(anyone).WithSummary("It takes turns, perhaps without a tier (`degraded`), or 503 and why not.");
        routes.MapGet("/health", HealthAsync).WithMetadata(anyone).WithSummary("As `/readyz`, in vLLM's and llama.cpp's shape: 200 or 503.");
    }

    private Task HealthAsync(HttpContext context)
    {
        string? reason = NotReadyReason;
        return reason is null
            ? AnswerAsync(context, StatusCodes.Status200OK, new Health("ok", []))
            : throw ApiException.Unavailable($"Not ready: {reason}.", "not_ready");
    }

    private string? NotReadyReason => stop.IsStopping ? "the server is shutting down" : host.NotReadyReason;

    private Task ReadyAsync(HttpContext context)
    {
        string? reason = NotReadyReason;
        if (reason is not null) return AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, new Health("not_ready", [reason]));
        IReadOnlyList<string> degraded = host.DegradedReasons;
        return AnswerAsync(context, StatusCodes.Status200OK, new Health(degraded.Count == 0 ? "ready" : "degraded", degraded));
    }

    private static Task AnswerAsync(HttpContext context, int status, Health health) =>
        SiloJson.WriteAsync(context.Response, status, health, context.RequestAborted);
}
