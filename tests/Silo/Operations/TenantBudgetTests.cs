using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Operations;

public sealed class TenantBudgetTests
{
    [Theory]
    [InlineData("--hot", "8MiB")] // no colder tier
    [InlineData("--ram", "16MiB")]
    [InlineData("--disk", "16MiB")]
    public async Task ATenantStaysWithinItsBytesOverAllTiers(string flag, string size)
    {
        await using SiloServer silo = await SiloServer.StartAsync("--hot", "4MiB", flag, size, "--tenant-bytes", "2MiB");
        for (int i = 0; i < 60; i++)
        {
            string prompt = string.Join(' ', Enumerable.Repeat($"prompt {i}", 40));
            var body = new JsonObject { ["prompt"] = prompt, ["max_tokens"] = 1 };
            await silo.Http.PostAsync("/v1/completions", body.ToJsonString());
        }

        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        JsonObject tiers = await silo.Http.GetJsonAsync("/admin/tiers");
        JsonNode hot = tiers["tiers"]![0]!;
        long bytes = (long)hot["block_bytes"]! * ((long)hot["evictable_blocks"]! + (long)hot["held_blocks"]!)
            + tiers["colder"]!.AsArray().Sum(tier => (long)tier!["used_bytes"]!);
        Assert.InRange(bytes, 1 << 20, 2 << 20);
        IReadOnlyDictionary<string, double> samples = PrometheusParser.Parse(await silo.Http.GetStringAsync("/metrics"));
        Assert.True(samples["kvtiers_budget_evicted_bytes_total"] > 0);
    }
}
