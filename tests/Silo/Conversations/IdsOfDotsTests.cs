using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Conversations;

/// <summary>Ids that a URL's path cannot hold: they are never given, and what has one already can be deleted.</summary>
[Collection(SiloCollection.Name)]
public sealed class IdsOfDotsTests(SharedSilo silo)
{
    private const string Victim = "dots-victim";

    [Theory]
    [InlineData("/v1/conversations", """{"id":"ID"}""", "id")]
    [InlineData("/v1/conversations/dots-victim/fork", """{"id":"ID"}""", "id")]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Dots of all kinds"}],"max_tokens":1,"conversation":"ID"}""", "conversation")]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Dots of all kinds"}],"max_tokens":1,"conversation":{"id":"ID"}}""", "conversation.id")]
    [InlineData("/v1/responses", """{"input":"Dots of all kinds","max_output_tokens":16,"conversation":"ID"}""", "conversation")]
    public async Task NoRouteGivesOne(string path, string body, string param)
    {
        await VictimAsync();
        foreach (string id in new[] { ".", "..", "a/b", "a%2fb", "a b", "a\\u0000", "" })
        {
            JsonNode error = (await silo.Http.PostAsync(path, body.Replace("ID", id, StringComparison.Ordinal), HttpStatusCode.BadRequest))["error"]!;
            Assert.Equal(param, (string?)error["param"]);
        }
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public async Task OneThatIsThereCanBeDeleted(string id)
    {
        IConversationStore store = silo.Model.ChatParts.Store!;
        var created = new ConversationCreated { At = DateTimeOffset.UnixEpoch, Incarnation = Guid.NewGuid(), Model = "m", Vocabulary = "v", Messages = [] };
        Assert.True(await store.TryAppendAsync(new ConversationKey("default", id), null, created));

        Assert.Contains(id, (await silo.Http.GetJsonAsync("/v1/conversations?limit=1000"))["data"]!.AsArray().Select(one => (string)one!["id"]!));
        await silo.Http.SendJsonAsync(HttpMethod.Delete, $"/v1/conversations?id={id}");
        await silo.Http.SendJsonAsync(HttpMethod.Delete, $"/v1/conversations?id={id}", null, HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/v1/conversations")]
    [InlineData("/v1/conversations?id=")]
    [InlineData("/v1/conversations?id=a&id=b")]
    public async Task ADeletionWithoutAnIdIsRefused(string path) =>
        Assert.Equal("id", (string)(await silo.Http.SendJsonAsync(HttpMethod.Delete, path, null, HttpStatusCode.BadRequest))["error"]!["param"]!);

    // As they stand on the wire: a client would resolve some of them first.
    [Fact]
    public async Task NoRouteIsLedAstray()
    {
        await VictimAsync();
        string before = (await silo.Http.GetJsonAsync($"/v1/conversations/{Victim}")).ToJsonString();
        RouteEndpoint[] routes = [.. silo.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(route => route.RoutePattern.Parameters.Any(parameter => parameter.Name is "id" or "tier"))];
        Assert.True(routes.Length >= 16, $"{routes.Length} routes");
        int asked = 0;
        foreach (RouteEndpoint route in routes)
        {
            foreach (string id in new[] { ".", "..", "%2e", "%2E%2e", ".%2E", "..%2f..", "%2e%2e%2f", "a%2fb", "a%5cb", "%00", "%0a", "a%20b", "%ff", "...%2f" })
            {
                string path = route.RoutePattern.RawText!.Replace("{id}", id, StringComparison.Ordinal).Replace("{tier}", id, StringComparison.Ordinal).Replace("{index:int}", "0", StringComparison.Ordinal);
                string method = route.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods[0];
                HttpStatusCode status = await RawAsync(method, path);
                asked++;
                bool isList = method == "GET" && status == HttpStatusCode.OK && id is "." or "%2e";
                Assert.True(isList || status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed, $"{method} {path} answered {(int)status}");
            }
        }

        Assert.True(asked > 200);
        Assert.Equal(before, (await silo.Http.GetJsonAsync($"/v1/conversations/{Victim}")).ToJsonString());
    }

    private async Task VictimAsync() => (await silo.Http.PostAsync("/v1/conversations", new StringContent($$"""{"id":"{{Victim}}","messages":[{"role":"user","content":"Dots, the first"}]}""", Encoding.UTF8, "application/json"))).Dispose();

    private async Task<HttpStatusCode> RawAsync(string method, string path)
    {
        var address = new Uri($"{silo.Http.BaseAddress!.GetLeftPart(UriPartial.Authority)}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), address) { Content = method == "GET" ? null : new StringContent("{}", Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await silo.Http.SendAsync(request);
        return response.StatusCode;
    }
}
