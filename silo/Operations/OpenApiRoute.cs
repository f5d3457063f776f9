using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Scalar.AspNetCore;

namespace KvTiers.Silo.Operations;

/// <summary><c>GET /openapi.json</c>, and <c>/reference</c>, a page that shows it: the server's routes and the fields of their requests as an OpenAPI 3.1 document, made from the routes themselves and the tables of fields.</summary>
internal sealed partial class OpenApiRoute(EndpointDataSource source)
{
    // Made when it is first asked for: the start need not wait for it.
    private readonly Lazy<string> _document = new(() => Document(source.Endpoints.OfType<RouteEndpoint>()).ToJsonString());

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var anyone = new AccessRequirement(AccessLevel.Anyone);
        routes.MapGet("/openapi.json", AnswerAsync).WithMetadata(anyone).WithSummary("The routes and their fields as an OpenAPI document.");
        // Nothing of the page comes from elsewhere, and nothing goes there.
        routes.MapScalarApiReference("/reference", page => page
            .WithTitle("KvTiers")
            .WithOpenApiRoutePattern("/openapi.json")
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .DisableDefaultFonts()
            .HideDeveloperTools()).WithMetadata(anyone);
    }

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(_document.Value, context.RequestAborted);
    }

    /// <summary>The document for some routes. Those without a summary are not the server's own, and left out.</summary>
    public static JsonObject Document(IEnumerable<RouteEndpoint> endpoints)
    {
        var paths = new JsonObject();
        foreach (RouteEndpoint endpoint in endpoints.OrderBy(endpoint => endpoint.RoutePattern.RawText, StringComparer.Ordinal))
        {
            if (endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>() is not { } summary) continue;
            string path = Constraint().Replace(endpoint.RoutePattern.RawText!, "{$1}");
            if (!paths.ContainsKey(path)) paths[path] = new JsonObject();
            foreach (string method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods) paths[path]![method.ToLowerInvariant()] = Operation(endpoint, path, summary.Summary);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "KvTiers", ["version"] = "1", ["description"] = "docs/api.md says the same in words, with the fields that are refused." },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
            },
        };
    }

    private static JsonObject Operation(RouteEndpoint endpoint, string path, string summary)
    {
        var operation = new JsonObject { ["summary"] = summary };
        JsonNode[] parameters =
        [
            .. Parameter().Matches(path).Select(match => new JsonObject
            {
                ["name"] = match.Groups[1].Value,
                ["in"] = "path",
                ["required"] = true,
                ["schema"] = new JsonObject { ["type"] = "string" },
            }),
        ];
        if (parameters.Length > 0) operation["parameters"] = new JsonArray(parameters);
        if (endpoint.Metadata.GetMetadata<RequestFields>() is { } fields)
        {
            operation["requestBody"] = new JsonObject
            {
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Schema(fields.Table) } },
            };
        }

        if (endpoint.Metadata.GetMetadata<AccessRequirement>()?.Level != AccessLevel.Anyone) operation["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() });
        operation["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "Done." }, ["4XX"] = new JsonObject { ["description"] = "The request is wrong; the body says why." } };
        return operation;
    }

    private static JsonObject Schema(FieldTable table)
    {
        var properties = new JsonObject();
        foreach (Field field in table.Fields.Where(field => field.Use != FieldUse.Refused))
        {
            JsonObject schema = field.Use == FieldUse.Ignored ? [] : Schema(field);
            if (field.Text.Length > 0) schema["description"] = field.Use == FieldUse.Ignored ? $"Ignored. {field.Text}" : field.Text;
            properties[field.Name] = schema;
        }

        var whole = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        JsonNode[] required = [.. table.Fields.Where(field => field is { IsRequired: true, Alternatives: [] }).Select(field => JsonValue.Create(field.Name))];
        if (required.Length > 0) whole["required"] = new JsonArray(required);
        return whole;
    }

    private static JsonObject Schema(Field field)
    {
        JsonNode[] kinds = [.. Kinds(field)];
        return kinds is [JsonObject one] ? one : new JsonObject { ["anyOf"] = new JsonArray(kinds) };
    }

    private static IEnumerable<JsonObject> Kinds(Field field)
    {
        if (field.Kinds == ValueKinds.Any)
        {
            yield return [];
            yield break;
        }

        if (field.Kinds.HasFlag(ValueKinds.Text)) yield return new JsonObject { ["type"] = "string" };
        if (field.Kinds.HasFlag(ValueKinds.Number)) yield return new JsonObject { ["type"] = "number" };
        else if (field.Kinds.HasFlag(ValueKinds.Integer)) yield return new JsonObject { ["type"] = "integer" };
        if (field.Kinds.HasFlag(ValueKinds.Boolean)) yield return new JsonObject { ["type"] = "boolean" };
        bool isList = field.Kinds.HasFlag(ValueKinds.List);
        if (isList) yield return new JsonObject { ["type"] = "array", ["items"] = field.Inner is { } inner ? Schema(inner) : new JsonObject() };
        if (field.Kinds.HasFlag(ValueKinds.Object)) yield return field.Inner is { } members && !isList ? Schema(members) : new JsonObject { ["type"] = "object" };
    }

    [GeneratedRegex(@"\{\*{0,2}([a-z]+)(:[a-z]+)?\}")]
    private static partial Regex Constraint();

    [GeneratedRegex(@"\{([a-z]+)\}")]
    private static partial Regex Parameter();
}
