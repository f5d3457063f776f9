using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Sessions.Access;
using KvTiers.Silo.Http;
using KvTiers.Silo.Tests.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Http;

/// <summary>What a tenant and a key may send, as the key file says.</summary>
public sealed class LimitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<ApiKeyEntry> _keys = [];
    private readonly Dictionary<string, TenantLimits> _tenants = [];

    private string Path => _folder.Path("keys.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RequestsASecondAreHeldToAndToldAsOpenAiTellsThem()
    {
        string acme = Key("acme"), zeta = Key("zeta");
        _tenants["acme"] = new() { RequestsPerSecond = 0.01 };
        await using SiloServer silo = await StartAsync();

        using HttpResponseMessage first = await SendAsync(silo, acme, "/v1/models");
        using HttpResponseMessage second = await SendAsync(silo, acme, "/v1/models");
        using HttpResponseMessage other = await SendAsync(silo, zeta, "/v1/models");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(("1", "0"), (Header(first, "x-ratelimit-limit-requests"), Header(first, "x-ratelimit-remaining-requests")));
        Assert.Matches("^1m[34][0-9.]+s$", Header(first, "x-ratelimit-reset-requests"));
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.InRange(second.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 80, 100);
        JsonNode error = JsonNode.Parse(await second.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal(("requests", "rate_limit_exceeded"), ((string)error["type"]!, (string)error["code"]!));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Null(Header(other, "x-ratelimit-limit-requests"));
        Assert.Equal(1, silo.Services.GetRequiredService<Refusals>().Of(RefusalReason.Requests));
    }

    [Fact]
    public async Task OnAnthropicsRoutesLimitsAreToldAsAnthropicTellsThem()
    {
        string acme = Key("acme");
        _tenants["*"] = new() { RequestsPerSecond = 0.01, TokensPerMinute = 6_000 };
        await using SiloServer silo = await StartAsync();

        using HttpResponseMessage counted = await SendAsync(silo, acme, "/v1/messages/count_tokens", """{"model":"tiny","messages":[{"role":"user","content":"x"}]}""");

        Assert.Equal(("1", "0"), (Header(counted, "anthropic-ratelimit-requests-limit"), Header(counted, "anthropic-ratelimit-requests-remaining")));
        Assert.Equal(("6000", "6000"), (Header(counted, "anthropic-ratelimit-tokens-limit"), Header(counted, "anthropic-ratelimit-tokens-remaining")));
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$", Header(counted, "anthropic-ratelimit-requests-reset"));
        using HttpResponseMessage refused = await SendAsync(silo, acme, "/v1/messages/count_tokens", "{}");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("rate_limit_error", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["type"]!);
    }

    // Counted is what was computed: the second time the prompt is cached.
    [Fact]
    public async Task TokensAMinuteAreThoseThatWereComputed()
    {
        string acme = Key("acme"), zeta = Key("zeta");
        _tenants["acme"] = new() { TokensPerMinute = 100 };
        await using SiloServer silo = await StartAsync();
        string body = $$"""{"prompt":[{{string.Join(',', Enumerable.Range(10, 96))}}],"max_tokens":3,"ignore_eos":true}""";

        using HttpResponseMessage cold = await SendAsync(silo, acme, "/v1/completions", body);
        int left = Remaining(await SendAsync(silo, acme, "/v1/models"));
        using HttpResponseMessage warm = await SendAsync(silo, acme, "/v1/completions", body);
        using HttpResponseMessage refused = await SendAsync(silo, acme, "/v1/completions", body);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (cold.StatusCode, warm.StatusCode));
        Assert.InRange(left, 1, 2); // 96 of the prompt and 3 of the answer, but for what has come back since
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("tokens", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["type"]!);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, zeta, "/v1/completions", body)).StatusCode);

        static int Remaining(HttpResponseMessage response) => int.Parse(Header(response, "x-ratelimit-remaining-tokens")!, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task AnswersAtOneTimeAreBoundedByTenantAndByKey()
    {
        string one = Key("acme"), two = Key("acme", new() { Id = "", Tenant = "", Sha256 = "", ConcurrentTurns = 1 }), zeta = Key("zeta");
        _tenants["acme"] = new() { ConcurrentTurns = 3 };
        await using SiloServer silo = await StartAsync("--model", TestModels.Slow);
        string endless = $$""" "max_tokens":{{TestModels.Endless}},"logit_bias":{"0":-100,"2":-100},"stream":true""";
        TurnGate gate = silo.Services.GetRequiredService<TurnGate>();
        using HttpClient http = Client(silo, two);
        await foreach (string item in http.StreamAsync("/v1/completions", $$"""{"prompt":"a",{{endless}} }"""))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, (await SendAsync(silo, two, "/v1/completions", """{"prompt":"x","max_tokens":1}""")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, one, "/v1/completions", """{"prompt":"x","n":2,"max_tokens":1}""")).StatusCode);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await SendAsync(silo, one, "/v1/completions", """{"prompt":"x","n":3,"max_tokens":1}""")).StatusCode);
            using HttpResponseMessage never = await SendAsync(silo, one, "/v1/completions", """{"prompt":"x","n":4,"max_tokens":1}""");
            Assert.Equal(HttpStatusCode.BadRequest, never.StatusCode);
            Assert.Contains("at most 3", await never.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, zeta, "/v1/completions", """{"prompt":"x","n":5,"max_tokens":1}""")).StatusCode);
            Assert.Equal(1, gate.RunningOf("acme"));
            break;
        }

        Assert.Equal(2, silo.Services.GetRequiredService<Refusals>().Of(RefusalReason.ConcurrentTurns));
        await Eventually.TrueAsync(() => gate.Running == 0);
    }

    [Fact]
    public async Task ConversationsAreBoundedWhicheverWayTheyBegin()
    {
        string acme = Key("acme");
        _tenants["acme"] = new() { Conversations = 2 };
        await using SiloServer silo = await StartAsync();
        string chat = """{"messages":[{"role":"user","content":"Hello"}],"max_tokens":1,"conversation":"ID"}""";
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(silo, acme, "/v1/conversations", """{"id":"a"}""")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, acme, "/v1/chat/completions", chat.Replace("ID", "b", StringComparison.Ordinal))).StatusCode);
        long computed = silo.Model.Engine.Snapshot().ComputedTokens;

        foreach ((string path, string body) in new[]
        {
            ("/v1/conversations", "{}"), ("/v1/conversations/b/fork", "{}"), ("/v1/chat/completions", chat.Replace("ID", "c", StringComparison.Ordinal)),
            ("/v1/responses", """{"input":"Hello","max_output_tokens":16}"""), ("/v1/conversations/d/turns", """{"mode":"history","messages":[{"role":"user","content":"x"}]}"""),
        })
        {
            using HttpResponseMessage refused = await SendAsync(silo, acme, path, body);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("conversation_limit", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]!);
        }

        Assert.Equal(computed, silo.Model.Engine.Snapshot().ComputedTokens);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, acme, "/v1/chat/completions", chat.Replace("ID", "b", StringComparison.Ordinal))).StatusCode);
        using HttpClient http = Client(silo, acme);
        await http.DeleteAsync("/v1/conversations/a");
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(silo, acme, "/v1/conversations", """{"id":"e"}""")).StatusCode);
    }

    [Fact]
    public async Task TheFileIsReadAnewAndABrokenOneLeavesWhatWasThere()
    {
        string acme = Key("acme"), admin = Key("admin");
        await using SiloServer silo = await StartAsync();
        string late = Key("late");
        Write();
        await Eventually.TrueAsync(async () => (await SendAsync(silo, late, "/v1/models")).StatusCode == HttpStatusCode.OK);

        await File.WriteAllTextAsync(Path, "{ broken");
        await Eventually.TrueAsync(async () => (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]! == "degraded");
        Assert.Contains("key file", (string)(await silo.Http.GetJsonAsync("/readyz"))["reasons"]![0]!, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, acme, "/v1/models")).StatusCode);

        _keys.RemoveAll(key => key.Tenant == "acme");
        Write();
        await Eventually.TrueAsync(async () => (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]! == "ready");
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(silo, acme, "/v1/models")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(silo, admin, "/admin/tiers")).StatusCode);
    }

    [Fact]
    public async Task RefusalsAreCountedByReasonAndNameNoTenant()
    {
        string acme = Key("acme"), admin = Key("admin");
        _tenants["acme"] = new() { RequestsPerSecond = 0.001 };
        await using SiloServer silo = await StartAsync();
        await SendAsync(silo, acme, "/v1/models");
        await SendAsync(silo, acme, "/v1/models");

        string metrics = await (await SendAsync(silo, admin, "/metrics")).Content.ReadAsStringAsync();

        Assert.Equal(1, PrometheusParser.Parse(metrics)["kvtiers_silo_turns_refused_total{reason=\"requests\"}"]);
        Assert.DoesNotContain("acme", metrics, StringComparison.Ordinal);
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : null;

    private static HttpClient Client(SiloServer silo, string key)
    {
        var http = new HttpClient { BaseAddress = silo.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private static async Task<HttpResponseMessage> SendAsync(SiloServer silo, string key, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await silo.Http.SendAsync(request);
    }

    private string Key(string tenant, ApiKeyEntry? limits = null)
    {
        string key = ApiKey.New();
        _keys.Add((limits ?? new() { Id = "", Tenant = "", Sha256 = "" }) with { Id = $"k{_keys.Count}", Tenant = tenant, Sha256 = Convert.ToHexStringLower(ApiKey.Digest(key)) });
        return key;
    }

    private void Write() => new AccessFile { Keys = _keys, Tenants = _tenants }.Write(Path);

    private Task<SiloServer> StartAsync(params string[] arguments)
    {
        Write();
        return SiloServer.StartAsync(["--api-key-file", Path, .. arguments]);
    }
}
