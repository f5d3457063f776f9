using System.Text.Json.Nodes;
using KvTiers.Sessions.Access;

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

        await AssertWithinAsync(silo, silo.Http, 1 << 20, 2 << 20);
    }

    // Each prompt has a salt of its own, so each is in a namespace of its own: the tenant is one all the same.
    [Theory]
    [InlineData("--hot", "8MiB")]
    [InlineData("--ram", "16MiB")]
    public async Task ATenantsOwnBoundHoldsOverAllItsSalts(string flag, string size)
    {
        using var folder = new TemporaryFolder();
        string key = ApiKey.New(), admin = ApiKey.New();
        new AccessFile
        {
            Keys = [.. new[] { ("acme", key), ("admin", admin) }.Select(pair => new ApiKeyEntry { Id = pair.Item1, Tenant = pair.Item1, Sha256 = Convert.ToHexStringLower(ApiKey.Digest(pair.Item2)) })],
            Tenants = new Dictionary<string, TenantLimits> { ["acme"] = new() { TierBytes = 1 << 20 } },
        }.Write(folder.Path("keys.json"));
        await using SiloServer silo = await SiloServer.StartAsync("--hot", "4MiB", flag, size, "--api-key-file", folder.Path("keys.json"));
        silo.Http.DefaultRequestHeaders.Add("x-api-key", key);
        for (int i = 0; i < 60; i++)
        {
            var body = new JsonObject { ["prompt"] = string.Join(' ', Enumerable.Repeat($"prompt {i}", 40)), ["max_tokens"] = 1, ["cache_salt"] = $"salt {i}" };
            await silo.Http.PostAsync("/v1/completions", body.ToJsonString());
        }

        using var operation = new HttpClient { BaseAddress = silo.Url };
        operation.DefaultRequestHeaders.Add("x-api-key", admin);
        await AssertWithinAsync(silo, operation, 1 << 19, 1 << 20);
    }

    private static async Task AssertWithinAsync(SiloServer silo, HttpClient http, long least, long most)
    {
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        JsonObject tiers = await http.GetJsonAsync("/admin/tiers");
        JsonNode hot = tiers["tiers"]![0]!;
        long bytes = (long)hot["block_bytes"]! * ((long)hot["evictable_blocks"]! + (long)hot["held_blocks"]!)
            + tiers["colder"]!.AsArray().Sum(tier => (long)tier!["used_bytes"]!);
        Assert.InRange(bytes, least, most);
        IReadOnlyDictionary<string, double> samples = PrometheusParser.Parse(await http.GetStringAsync("/metrics"));
        Assert.True(samples["kvtiers_budget_evicted_bytes_total"] > 0);
    }
}
