using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KvTiers.Silo.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Http;

[Collection(SiloCollection.Name)]
public sealed class RouteTests(SharedSilo silo)
{
    private IEnumerable<RouteEndpoint> Own => silo.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(endpoint => !endpoint.RoutePattern.RawText!.StartsWith("/orleans", StringComparison.Ordinal) && !endpoint.RoutePattern.RawText.Contains("reference", StringComparison.Ordinal));

    [Fact]
    public async Task HeadIsAnsweredWhereGetIsWithoutABody()
    {
        foreach (string path in Own.Where(endpoint => Methods(endpoint).Contains("GET")).Select(endpoint => endpoint.RoutePattern.RawText!).Where(path => !path.Contains('{')))
        {
            using HttpResponseMessage get = await silo.Http.GetAsync(path);
            using HttpResponseMessage head = await silo.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));

            Assert.Equal(get.StatusCode, head.StatusCode);
            Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [InlineData("/v1/chat/completions", "POST")]
    [InlineData("/v1/models", "GET")]
    public async Task OptionsTellsTheMethods(string path, string method)
    {
        using HttpResponseMessage response = await silo.Http.SendAsync(new HttpRequestMessage(HttpMethod.Options, path));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Contains(method, response.Content.Headers.Allow);
    }

    [Fact]
    public async Task TheRootSaysWhatThisIs()
    {
        JsonObject root = await silo.Http.GetJsonAsync("/");
        JsonObject version = await silo.Http.GetJsonAsync("/version");
        JsonObject health = await silo.Http.GetJsonAsync("/health");

        Assert.Equal("KvTiers", (string)root["name"]!);
        Assert.Matches(@"^\d+\.\d+\.\d+", (string)version["version"]!);
        Assert.Equal((string)version["version"]!, (string)root["version"]!);
        Assert.True((bool)root["ready"]!);
        Assert.Equal("ok", (string)health["status"]!);
        foreach (string link in (string[])["openapi", "models"]) await silo.Http.GetJsonAsync((string)root[link]!);
    }

    [Fact]
    public async Task TheOpenApiDocumentHasEveryRouteOfTheCode()
    {
        JsonObject document = await silo.Http.GetJsonAsync("/openapi.json");

        Assert.StartsWith("3.1", (string)document["openapi"]!);
        Assert.Equal(
            Own.SelectMany(endpoint => Methods(endpoint).Select(method => $"{method} {endpoint.RoutePattern.RawText!.Replace(":int", "").Replace("**", "")}")).Order(StringComparer.Ordinal),
            document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}")).Order(StringComparer.Ordinal));
        JsonObject chat = document["paths"]!["/v1/chat/completions"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!.AsObject();
        Assert.Equal("number", (string)chat["properties"]!["temperature"]!["type"]!);
        Assert.Equal("string", (string)chat["properties"]!["messages"]!["items"]!["properties"]!["role"]!["type"]!);
        Assert.Equal(["messages"], chat["required"]!.AsArray().Select(name => (string)name!));
        Assert.False(chat["properties"]!.AsObject().ContainsKey("audio"));
        Assert.Equal("integer", (string)document["paths"]!["/v1/conversations/{id}/turns"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["properties"]!["options"]!["properties"]!["max_tokens"]!["type"]!);
    }

    [Fact]
    public async Task ThePageThatShowsItNeedsNothingFromElsewhere()
    {
        string page = await silo.Http.GetStringAsync("/reference/");
        string[] addresses = [.. Regex.Matches(page, "(?:src|href)=\"([^\"]*)\"").Select(match => match.Groups[1].Value)];

        Assert.Contains("openapi.json", page);
        Assert.NotEmpty(addresses);
        Assert.All(addresses, address => Assert.DoesNotContain("//", address));
        foreach (string script in addresses.Where(address => address.EndsWith(".js", StringComparison.Ordinal)))
            Assert.True((await silo.Http.GetByteArrayAsync(new Uri(new Uri(silo.Http.BaseAddress!, "/reference/"), script))).Length > 100);
    }

    /// <remarks>What the page should say is written to artifacts/api-routes.md; copy it between the marks.</remarks>
    [Fact]
    public async Task ThePageListsEveryRouteOfTheCode()
    {
        const string Begin = "<!-- routes -->\n";
        string page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/api.md"));
        string rendered = "| route | for | |\n| --- | --- | --- |\n" + string.Concat(Own
            .SelectMany(endpoint => Methods(endpoint).Select(method => (Path: endpoint.RoutePattern.RawText!.Replace(":int", "").Replace("**", ""), Line: Line(endpoint, method))))
            .OrderBy(route => route.Path, StringComparer.Ordinal).ThenBy(route => route.Line, StringComparer.Ordinal).Select(route => route.Line));
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts")).FullName, "api-routes.md"), rendered);

        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        Assert.Equal(rendered.TrimEnd('\n'), page[begin..page.IndexOf("<!-- /routes -->", StringComparison.Ordinal)].TrimEnd('\n'));
    }

    private static string Line(RouteEndpoint endpoint, string method)
    {
        string access = (endpoint.Metadata.GetMetadata<AccessRequirement>()?.Level ?? AccessLevel.Tenant) switch
        {
            AccessLevel.Anyone => "anyone",
            AccessLevel.Administrator => "administrators",
            _ => "tenants",
        };
        string summary = endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.IEndpointSummaryMetadata>()?.Summary ?? throw new InvalidOperationException($"{endpoint.RoutePattern.RawText} has no summary.");
        return $"| `{method} {endpoint.RoutePattern.RawText!.Replace(":int", "").Replace("**", "")}` | {access} | {summary} |\n";
    }

    private static IEnumerable<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods;
}
