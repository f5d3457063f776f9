using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Tests.Http;

/// <summary>Web pages and host names: who may ask, and what is said to the others.</summary>
public sealed class OriginTests : IAsyncLifetime
{
    private SiloServer? _silo;

    private HttpClient Http => _silo!.Http;

    public async ValueTask InitializeAsync() => _silo = await SiloServer.StartAsync(
        "--KvTiers:Cors:Origins:0=https://chat.example:8443", "--KvTiers:Cors:Origins:1=app://", "--KvTiers:AllowedHosts:0=host.docker.internal");

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null) await _silo.DisposeAsync();
    }

    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("https://127.0.0.1", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("https://chat.example:8443", true)]
    [InlineData("app://obsidian.md", true)]
    [InlineData("https://chat.example", false)]
    [InlineData("https://evil.example", false)]
    [InlineData("vscode-webview://a1b2", false)]
    [InlineData("null", false)]
    public async Task ABrowserIsToldBeforehandWhetherAPageMayAsk(string origin, bool isAllowed)
    {
        using HttpResponseMessage preflight = await SendAsync(HttpMethod.Options, "/v1/chat/completions", ("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type"));
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, "/v1/models", ("Origin", origin));
        using HttpResponseMessage fault = await SendAsync(HttpMethod.Get, "/nowhere", ("Origin", origin));

        Assert.Equal(isAllowed ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, preflight.StatusCode);
        Assert.Equal(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(isAllowed ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden, fault.StatusCode);
        foreach (HttpResponseMessage response in (HttpResponseMessage[])[preflight, answer, fault])
            Assert.Equal(isAllowed ? origin : null, response.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? allowed) ? allowed.Single() : null);
        if (isAllowed)
        {
            Assert.Contains("authorization", preflight.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.OrdinalIgnoreCase);
            Assert.Contains("POST", preflight.Headers.GetValues("Access-Control-Allow-Methods").Single());
            Assert.Contains("x-request-id", answer.Headers.GetValues("Access-Control-Expose-Headers").Single());
        }
        else
        {
            JsonNode error = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!;
            Assert.Contains("KvTiers:Cors:Origins", (string)error["message"]!);
            Assert.Equal("origin_not_allowed", (string)error["code"]!);
        }
    }

    [Theory]
    [InlineData("host.docker.internal", HttpStatusCode.OK)]
    [InlineData("HOST.docker.internal:5080", HttpStatusCode.OK)]
    [InlineData("localhost:1", HttpStatusCode.OK)]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    public async Task AHostIsALoopbackNameOrASetOne(string host, HttpStatusCode status)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, "/v1/models", ("Host", host));

        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Forbidden) Assert.Contains($"KvTiers:AllowedHosts:0={host}", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("*", "https://anything.example", true)]
    [InlineData("null", "null", true)]
    [InlineData("vscode-webview://", "vscode-webview://a1b2", true)]
    [InlineData("vscode-webview://", "vscode-web://a1b2", false)]
    [InlineData("https://a.example/", "https://A.example", true)]
    [InlineData("https://a.example", "https://a.example.evil.example", false)]
    [InlineData("https://a.example", "http://a.example", false)]
    public void ARuleIsAnOriginASchemeOrAll(string rule, string origin, bool isAllowed) =>
        Assert.Equal(isAllowed, new OriginRules(new SiloOptions { CorsOrigins = [rule] }).AllowsOrigin(origin));

    [Theory]
    [InlineData("*", true)]
    [InlineData("null", true)]
    [InlineData("app://", true)]
    [InlineData("https://a.example:8443", true)]
    [InlineData("https://a.example/", true)]
    [InlineData("https://a.example/path", false)]
    [InlineData("https://user@a.example", false)]
    [InlineData("a.example", false)]
    [InlineData("://a", false)]
    [InlineData("", false)]
    public void AnOriginThatIsSetMustBeOne(string text, bool isGood) => Assert.Equal(isGood, OriginSettings.IsOrigin(text));

    [Theory]
    [InlineData("host.docker.internal", true)]
    [InlineData("192.168.1.5", true)]
    [InlineData("*", true)]
    [InlineData("http://a", false)]
    [InlineData("a b", false)]
    [InlineData("", false)]
    public void AHostThatIsSetMustBeOne(string text, bool isGood) => Assert.Equal(isGood, OriginSettings.IsHost(text));

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach ((string name, string value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return Http.SendAsync(request);
    }
}
