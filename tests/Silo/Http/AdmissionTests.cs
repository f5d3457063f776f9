using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Silo.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Http;

/// <summary>Who is let in: counted in answers, by tenant.</summary>
public sealed class AdmissionTests
{
    private const string Flood = "flood-key-0123456789";
    private const string Other = "other-key-0123456789";
    private static readonly string Endless = $$""" "max_tokens":{{TestModels.Endless}},"logit_bias":{"0":-100,"2":-100},"stream":true""";

    [Theory]
    [InlineData("/v1/completions", """ "prompt":["a","b","c"],"n":2""", 6)]
    [InlineData("/v1/completions", """ "prompt":[[5,6],[7,8]]""", 2)]
    [InlineData("/v1/completions", """ "prompt":[5,6,7]""", 1)]
    [InlineData("/v1/chat/completions", """ "messages":[{"role":"user","content":"Go on"}],"n":7""", 7)]
    public async Task ATurnCountsAsTheAnswersThatItAsksFor(string path, string request, int answers)
    {
        await using SiloServer silo = await SiloServer.StartAsync("--model", TestModels.Slow, "--max-turns", "8");
        TurnGate gate = silo.Services.GetRequiredService<TurnGate>();
        await foreach (string item in silo.Http.StreamAsync(path, $$"""{ {{request}},{{Endless}} }"""))
        {
            Assert.Equal(answers, gate.Running);
            await RefusedAsync(silo.Http, "/v1/completions", $$"""{"prompt":"x","n":{{9 - answers}} }""");
            break;
        }

        await Eventually.TrueAsync(() => gate.Running == 0);
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","n":8,"max_tokens":1}""");
    }

    [Fact]
    public async Task BeamsCountEach()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--max-turns", "4");

        JsonObject refused = await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","n":1,"best_of":5,"use_beam_search":true,"max_tokens":2}""", HttpStatusCode.BadRequest);

        Assert.Equal("too_many_answers", (string)refused["error"]!["code"]!);
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","n":1,"best_of":4,"use_beam_search":true,"max_tokens":2}""");
    }

    [Fact]
    public async Task OneThatCanNeverFitIsABadRequestAndNothingIsComputed()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        long before = silo.Model.Engine.Snapshot().ComputedTokens;
        string prompts = string.Join(',', Enumerable.Range(0, 256).Select(i => $"\"prompt {i}\""));

        JsonNode error = (await silo.Http.PostAsync("/v1/completions", $$"""{"prompt":[{{prompts}}],"n":128,"max_tokens":1}""", HttpStatusCode.BadRequest))["error"]!;

        Assert.Equal("n", (string)error["param"]!);
        Assert.Contains("makes 32768 answers", (string)error["message"]!);
        Assert.Contains("at most 256", (string)error["message"]!);
        Assert.Equal(before, silo.Model.Engine.Snapshot().ComputedTokens);
        Assert.Equal(0, silo.Services.GetRequiredService<TurnGate>().Running);
    }

    [Fact]
    public async Task ATenantThatSendsAllItCanTakesNoOtherTenantsPlaces()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Path("keys"), $"flood {Flood}\nother {Other}\n");
        await using SiloServer silo = await SiloServer.StartAsync("--model", TestModels.Slow, "--max-turns", "12", "--api-key-file", folder.Path("keys"));
        using HttpClient flood = Client(silo, Flood);
        using HttpClient other = Client(silo, Other);
        TurnGate gate = silo.Services.GetRequiredService<TurnGate>();
        using var cancel = new CancellationTokenSource();
        List<Task> running = [];
        for (int i = 0; i < 8; i++)
        {
            running.Add(ReadAsync(flood, $$"""{"prompt":"flood {{i}}",{{Endless}} }""", cancel.Token));
            await Eventually.TrueAsync(() => gate.Running == i + 1);
        }

        // Its own further requests are refused, each with a time that tells something.
        for (int i = 0; i < 20; i++)
            await RefusedAsync(flood, "/v1/completions", """{"prompt":"more","max_tokens":1}""");
        await other.PostAsync("/v1/completions", """{"prompt":"mine","n":2,"max_tokens":1}""");
        await Task.WhenAll(Enumerable.Range(0, 2).Select(i => other.PostAsync("/v1/completions", $$"""{"prompt":"mine {{i}}","max_tokens":1}""")));
        await RefusedAsync(flood, "/v1/completions", """{"prompt":"more","max_tokens":1}""");

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(running));
    }

    private static HttpClient Client(SiloServer silo, string key)
    {
        var http = new HttpClient { BaseAddress = silo.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private static async Task ReadAsync(HttpClient http, string json, CancellationToken cancellationToken)
    {
        await foreach (string item in http.StreamAsync("/v1/completions", json, cancellationToken)) _ = item;
    }

    private static async Task RefusedAsync(HttpClient http, string path, string json)
    {
        using HttpResponseMessage refused = await http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 600);
        Assert.Equal("busy", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]!);
    }
}
