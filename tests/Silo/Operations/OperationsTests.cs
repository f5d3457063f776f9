using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Silo.Tests.Talks;

namespace KvTiers.Silo.Tests.Operations;

public sealed class OperationsTests
{
    [Fact]
    public async Task HealthReadinessAndMetricsAnswer()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Count me, please"}],"max_tokens":3}""");

        Assert.Equal("ok", (string)(await silo.Http.GetJsonAsync("/healthz"))["status"]!);
        Assert.Equal("ready", (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]!);
        using HttpResponseMessage response = await silo.Http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());

        // A request is counted once it is over, which its caller may see before that.
        IReadOnlyDictionary<string, double> samples = await TalkGroup.MetricsAsync(silo.Http);
        await Eventually.TrueAsync(async () =>
        {
            samples = await TalkGroup.MetricsAsync(silo.Http);
            return samples.GetValueOrDefault("kvtiers_silo_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"200\"}") >= 1;
        });
        Assert.True(samples["kvtiers_silo_prompt_tokens_total{source=\"computed\"}"] > 0);
        Assert.True(samples["kvtiers_silo_ttft_seconds_count"] >= 1);
        Assert.True(samples["kvtiers_engine_steps_total"] > 0);
        Assert.True(samples["kvtiers_cache_capacity_bytes"] > 0);
        Assert.True(samples["process_cpu_seconds_total"] > 0);
        Assert.True(samples["process_resident_memory_bytes"] > 1 << 20);
        Assert.InRange(samples["process_start_time_seconds"], 1.7e9, 1e11);
    }

    [Fact]
    public async Task AdministratorsSeeConversationsTreeAndTiers()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Look at this conversation"}],"max_tokens":3,"conversation":"seen"}""");

        JsonObject conversations = await silo.Http.GetJsonAsync("/admin/conversations");
        Assert.Equal("default", (string)conversations["tenants"]![0]!["tenant"]!);
        Assert.Equal("seen", (string)conversations["tenants"]![0]!["conversations"]![0]!["id"]!);
        JsonObject tree = await silo.Http.GetJsonAsync("/admin/radix");
        Assert.Contains(tree["nodes"]!.AsArray(), node => ((string)node!["text"]!).Contains("Look at", StringComparison.Ordinal));
        Assert.False((bool)(await silo.Http.GetJsonAsync("/admin/radix?nodes=1"))["is_complete"]!);
        await silo.Http.GetJsonAsync("/admin/radix?nodes=0", HttpStatusCode.BadRequest);
        JsonNode hot = (await silo.Http.GetJsonAsync("/admin/tiers"))["tiers"]![0]!;
        Assert.Equal("hot", (string)hot["tier"]!);
        Assert.Equal(
            (int)hot["capacity_blocks"]!,
            (int)hot["free_blocks"]! + (int)hot["private_blocks"]! + (int)hot["held_blocks"]! + (int)hot["evictable_blocks"]!);
    }

    [Fact]
    public async Task TheHotTierIsResizedWhileItServes()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        int blockBytes = silo.Model.Cache.Shape.BytesPerBlock;

        JsonObject small = await silo.Http.PostAsync("/admin/tiers/hot/resize", $$"""{"capacity":"{{100 * blockBytes}}"}""");
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"max_tokens":3}""");
        JsonObject large = await silo.Http.PostAsync("/admin/tiers/hot/resize", """{"capacity":"8MiB"}""");

        Assert.Equal(100, (int)small["capacity_blocks"]!);
        Assert.Equal((8 << 20) / blockBytes, (int)large["capacity_blocks"]!);
        await silo.Http.PostAsync("/admin/tiers/hot/resize", """{"capacity":"8TiB"}""", HttpStatusCode.BadRequest);
        await silo.Http.PostAsync("/admin/tiers/hot/resize", """{"capacity":"1B"}""", HttpStatusCode.BadRequest);
        await silo.Http.PostAsync("/admin/tiers/hot/resize", "{}", HttpStatusCode.BadRequest);
        await silo.Http.PostAsync("/admin/tiers/lukewarm/resize", """{"capacity":"8MiB"}""", HttpStatusCode.NotFound);
    }
}
