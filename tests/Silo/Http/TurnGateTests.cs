using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Http;

/// <summary>What happens while turns run: callers that go, too many callers, a server that stops.</summary>
public sealed class TurnGateTests
{
    private static readonly string Options = $$""" "max_tokens":{{TestModels.Endless}},"logit_bias":{"0":-100,"2":-100}""";
    private static readonly string Endless = $$"""{"messages":[{"role":"user","content":"Go on and on"}],"stream":true,{{Options}} }""";

    [Theory]
    [InlineData("/v1/chat/completions", """ "messages":[{"role":"user","content":"Go on"}],"stream":true""")]
    [InlineData("/v1/chat/completions", """ "messages":[{"role":"user","content":"Go on"}]""")]
    [InlineData("/v1/chat/completions", """ "messages":[{"role":"user","content":"Go on"}],"conversation":"c","stream":true""")]
    [InlineData("/v1/completions", """ "prompt":["a","b"]""")]
    public async Task ACallerThatGoesStopsTheComputing(string path, string request)
    {
        string body = $$"""{ {{request}},{{Options}} }""";
        await using SiloServer silo = await SiloServer.StartAsync("--model", TestModels.Slow);
        using var cancel = new CancellationTokenSource();
        long generatedBefore = silo.Model.Engine.Snapshot().GeneratedTokens;
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        Task<HttpResponseMessage> reading = silo.Http.PostAsync(path, content, cancel.Token);
        await Eventually.TrueAsync(() => silo.Model.Engine.Snapshot().GeneratedTokens > generatedBefore + 5);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await Eventually.TrueAsync(() => silo.Model.Engine.Snapshot() is { Running: 0, Waiting: 0 });
        EngineSnapshot ended = silo.Model.Engine.Snapshot();
        Assert.InRange(ended.GeneratedTokens - generatedBefore, 6, TestModels.Endless - 1);
        Assert.Equal(0, silo.Model.Cache.Snapshot().PrivateBlocks);
    }

    [Fact]
    public async Task OneTurnMoreThanItTakesIsRefusedAsBusy()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--model", TestModels.Slow, "--max-turns", "1");
        await foreach (string item in silo.Http.StreamAsync("/v1/chat/completions", Endless))
        {
            using var second = new StringContent("""{"messages":[{"role":"user","content":"x"}]}""", Encoding.UTF8, "application/json");
            using HttpResponseMessage refused = await silo.Http.PostAsync("/v1/chat/completions", second);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.Equal("busy", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]!);
            break;
        }

        // The first caller has gone; there is room again once its turn is over.
        TurnGate gate = silo.Services.GetRequiredService<TurnGate>();
        await Eventually.TrueAsync(() => gate.Running == 0);
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"max_tokens":1}""");
    }

    [Fact]
    public async Task TheConversationIsAsItWasWhenItsTurnWasLeft()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--model", TestModels.Slow);
        await silo.Http.PostAsync("/v1/conversations/c/turns", """{"mode":"history","messages":[{"role":"user","content":"x"}],"options":{"max_tokens":2}}""");
        string before = (await silo.Http.GetJsonAsync("/v1/conversations/c")).ToJsonString();
        await foreach (string item in silo.Http.StreamAsync(
            "/v1/conversations/c/turns",
            $$"""{"messages":[{"role":"user","content":"y"}],"options":{"max_tokens":{{TestModels.Endless}},"logit_bias":[{"id":2,"bias":-100},{"id":0,"bias":-100}]},"stream":true}"""))
            if (item.Contains("\"token\"", StringComparison.Ordinal)) break;

        await Eventually.TrueAsync(() => silo.Model.Engine.Snapshot().Running == 0);
        Assert.Equal(before, (await silo.Http.GetJsonAsync("/v1/conversations/c")).ToJsonString());
    }
}
