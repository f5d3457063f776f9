using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Http;

public sealed class AccessTests : IAsyncLifetime
{
    private const string Acme = "acme-key-0123456789";
    private const string Zeta = "zeta-key-0123456789";
    private const string Admin = "admin-key-0123456789";
    private readonly TemporaryFolder _folder = new();
    private SiloServer? _silo;

    private HttpClient Http => _silo!.Http;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_folder.Path("keys"), $"acme {Acme}\nzeta {Zeta}\nadmin {Admin}\n");
        _silo = await SiloServer.StartAsync("--api-key-file", _folder.Path("keys"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null) await _silo.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("/v1/models", null, HttpStatusCode.Unauthorized)]
    [InlineData("/v1/models", "wrong-key-0123456789", HttpStatusCode.Unauthorized)]
    [InlineData("/v1/models", Admin, HttpStatusCode.Forbidden)]
    [InlineData("/v1/models", Acme, HttpStatusCode.OK)]
    [InlineData("/nowhere", null, HttpStatusCode.Unauthorized)]
    [InlineData("/nowhere", Acme, HttpStatusCode.NotFound)]
    [InlineData("/admin/tiers", null, HttpStatusCode.Unauthorized)]
    [InlineData("/admin/tiers", Acme, HttpStatusCode.Forbidden)]
    [InlineData("/ADMIN/tiers", Acme, HttpStatusCode.Forbidden)]
    [InlineData("/admin/tiers", Admin, HttpStatusCode.OK)]
    [InlineData("/metrics", null, HttpStatusCode.Unauthorized)]
    [InlineData("/metrics", Acme, HttpStatusCode.Forbidden)]
    [InlineData("/metrics", Admin, HttpStatusCode.OK)]
    [InlineData("/healthz", null, HttpStatusCode.OK)]
    [InlineData("/readyz", null, HttpStatusCode.OK)]
    public async Task EachKeyOpensItsOwnDoors(string path, string? key, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await Http.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Unauthorized) Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("OPTIONS", "/admin/tiers", HttpStatusCode.NoContent)]
    [InlineData("OPTIONS", "/v1/models", HttpStatusCode.NoContent)]
    [InlineData("HEAD", "/admin/tiers", HttpStatusCode.Unauthorized)]
    [InlineData("HEAD", "/v1/models", HttpStatusCode.Unauthorized)]
    [InlineData("HEAD", "/healthz", HttpStatusCode.OK)]
    public async Task WithoutAKeyAPathTellsItsMethodsAndNothingElse(string method, string path, HttpStatusCode status)
    {
        using HttpResponseMessage response = await Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal(status, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("x-api-key")]
    [InlineData("api-key")]
    public async Task OtherVendorsHeadersWorkToo(string header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add(header, Acme);

        Assert.Equal(HttpStatusCode.OK, (await Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task TenantsShareNeitherConversationsNorBlocks()
    {
        const string Body = """{"messages":[{"role":"user","content":"A long enough secret prompt that one tenant sends, and then the other one sends as well."}],"max_tokens":2,"conversation":"same-name"}""";
        await CallAsync(Acme, HttpMethod.Post, "/v1/chat/completions", Body);
        JsonObject again = await CallAsync(Acme, HttpMethod.Post, "/v1/chat/completions", Body);
        await CallAsync(Zeta, HttpMethod.Get, "/v1/conversations/same-name", null, HttpStatusCode.NotFound);
        JsonObject other = await CallAsync(Zeta, HttpMethod.Post, "/v1/chat/completions", Body);

        Assert.True((int)again["usage"]!["prompt_tokens_details"]!["cached_tokens"]! > 0);
        Assert.Equal(0, (int)other["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        JsonObject all = await CallAsync(Admin, HttpMethod.Get, "/admin/conversations", null);
        Assert.Equal(["acme", "zeta"], all["tenants"]!.AsArray().Select(tenant => (string)tenant!["tenant"]!));
        using var metrics = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        metrics.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Admin);
        string text = await (await Http.SendAsync(metrics)).Content.ReadAsStringAsync();
        Assert.DoesNotContain("acme", text);
        Assert.DoesNotContain("same-name", text);
    }

    private async Task<JsonObject> CallAsync(string key, HttpMethod method, string path, string? body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Http.SendJsonAsync(method, path, body, expected);
    }
}
