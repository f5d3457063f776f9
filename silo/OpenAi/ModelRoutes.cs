using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>.</summary>
internal sealed class ModelRoutes(ModelHost host)
{
    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", ListAsync).WithSummary("The loaded model, as a list.");
        routes.MapGet("/v1/models/{**id}", GetAsync).WithSummary("The loaded model.");
    }

    private Task ListAsync(HttpContext context) =>
        SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new ModelList([Card(host.Model)]), context.RequestAborted);

    private Task GetAsync(HttpContext context)
    {
        host.Model.CheckName((string?)context.Request.RouteValues["id"]);
        return SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, Card(host.Model), context.RequestAborted);
    }

    private static ModelCard Card(LoadedModel model) => new(model.Name, model.WrittenAt.ToUnixTimeSeconds(), model.Config.ContextLength, EngineSettings.NameOf(model.EngineKind));
}
