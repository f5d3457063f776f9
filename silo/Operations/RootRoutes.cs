using System.Reflection;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Operations;

/// <summary><c>GET /</c>: what this is, and where its documentation stands. <c>GET /version</c>: which one it is.</summary>
internal sealed class RootRoutes(ModelHost host)
{
    // The informational version, without the commit that the build adds to it.
    private static readonly string Version = typeof(RootRoutes).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var anyone = new AccessRequirement(AccessLevel.Anyone);
        routes.MapGet("/", RootAsync).WithMetadata(anyone).WithSummary("What this server is, and where its documentation stands.");
        routes.MapGet("/version", VersionAsync).WithMetadata(anyone).WithSummary("The server's version.");
    }

    private Task RootAsync(HttpContext context) => SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new
    {
        Name = "KvTiers",
        Version,
        Description = "A chat server whose KV cache has several tiers and shares prefixes.",
        Ready = host.NotReadyReason is null,
        Openapi = "/openapi.json",
        Reference = "/reference",
        Models = "/v1/models",
        ChatCompletions = "/v1/chat/completions",
    }, context.RequestAborted);

    private static Task VersionAsync(HttpContext context) =>
        SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new { Version }, context.RequestAborted);
}
