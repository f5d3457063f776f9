using System.Text.Json.Nodes;
using KvTiers.Tests.Shared;
using KvTiers.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>Tiers that fail under a serving silo: the answers stay, and <c>/metrics</c> and <c>/readyz</c> tell of it.</summary>
[Collection(AloneCollection.Name)]
public sealed class TierFaultTests
{
    private const string Prompt = "Please remember that the harbour opens at seven and that the ferry to the island leaves at nine.";

    [Fact]
    public async Task ADamagedDiskTierIsCountedAndCostsNoAnswer()
    {
        using var data = new TemporaryFolder();
        await using SiloServer silo = await SiloServer.StartAsync("--data", data.FullName, "--hot", "1MiB", "--disk", "64MiB", "--KvTiers:Promotion=always");
        string answer = await AskAsync(silo, Prompt);
        await PushOutAsync(silo);
        foreach (string segment in Directory.EnumerateFiles(Path.Combine(data.FullName, "blocks"), "segment-*.kvb")) Garble(segment);

        Assert.Equal(answer, await AskAsync(silo, Prompt));
        IReadOnlyDictionary<string, double> samples = await MetricsAsync(silo);
        Assert.True(samples["kvtiers_tier_misses_total{kind=\"corrupt\",tier=\"disk\"}"] + samples["kvtiers_tier_misses_total{kind=\"unauthentic\",tier=\"disk\"}"] > 0);
        Assert.Equal(0, samples["kvtiers_tier_hits_total{tier=\"disk\"}"]);
        Assert.True(samples["kvtiers_tier_written_bytes_total{tier=\"disk\"}"] > 0);
        Assert.True(samples["kvtiers_promotion_found_blocks_total"] > samples["kvtiers_promotion_loaded_blocks_total"]);

        await PushOutAsync(silo);
        Assert.Equal(answer, await AskAsync(silo, Prompt));
        samples = await MetricsAsync(silo);
        Assert.True(samples["kvtiers_tier_hits_total{tier=\"disk\"}"] > 0);
        Assert.True(samples["kvtiers_tier_promoted_tokens_total{tier=\"disk\"}"] >= 16);
    }

    [Fact]
    public async Task ARedisThatDiesDegradesTheServiceUntilItIsBack()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var redis = new RedisServer();
        await using SiloServer silo = await SiloServer.StartAsync("--redis", redis.Configuration, "--KvTiers:Promotion=always");
        string answer = await AskAsync(silo, Prompt);
        JsonObject ready = await silo.Http.GetJsonAsync("/readyz");
        Assert.Equal(("ready", 0), ((string)ready["status"]!, ready["reasons"]!.AsArray().Count));

        redis.Kill();
        await UntilReadyzSaysAsync(silo, "degraded", whileWaiting: async number => await AskAsync(silo, $"{number}: {Prompt}"));
        JsonObject degraded = await silo.Http.GetJsonAsync("/readyz");
        Assert.Contains("'redis'", (string)Assert.Single(degraded["reasons"]!.AsArray())!, StringComparison.Ordinal);
        Assert.Equal(answer, await AskAsync(silo, Prompt));
        for (int i = 0; i < 3; i++) await AskAsync(silo, $"Not hot yet, number {i}: {Prompt}");
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        IReadOnlyDictionary<string, double> samples = await MetricsAsync(silo);
        Assert.True(samples["kvtiers_tier_misses_total{kind=\"unavailable\",tier=\"redis\"}"] > 0);
        Assert.Equal(1, samples["kvtiers_tier_degraded{tier=\"redis\"}"]);

        redis.Start();
        await UntilReadyzSaysAsync(silo, "ready", whileWaiting: _ => Task.CompletedTask);
        Assert.Equal(0, (await MetricsAsync(silo))["kvtiers_tier_degraded{tier=\"redis\"}"]);
        Assert.Equal(answer, await AskAsync(silo, Prompt));
    }

    private static async Task UntilReadyzSaysAsync(SiloServer silo, string status, Func<int, Task> whileWaiting)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        for (int number = 0; (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]! != status; number++)
        {
            await whileWaiting(number);
            await Task.Delay(20, deadline.Token);
        }
    }

    private static async Task<string> AskAsync(SiloServer silo, string text)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["max_tokens"] = 8,
            ["temperature"] = 0,
        };
        JsonObject answer = await silo.Http.PostAsync("/v1/chat/completions", body.ToJsonString());
        return (string)answer["choices"]![0]!["message"]!["content"]!;
    }

    /// <summary>Fills the hot tier with other prompts, and waits until what left it is written.</summary>
    private static async Task PushOutAsync(SiloServer silo)
    {
        int blocks = silo.Model.Cache.Pool.Capacity;
        int prompts = (blocks / 4) + 1;
        for (int i = 0; i < prompts; i++) await AskAsync(silo, $"{i} {Guid.NewGuid()} {Prompt}");
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
    }

    private static async Task<IReadOnlyDictionary<string, double>> MetricsAsync(SiloServer silo) =>
        PrometheusParser.Parse(await silo.Http.GetStringAsync("/metrics"));

    private static void Garble(string segment)
    {
        using SafeFileHandle file = File.OpenHandle(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] bytes = new byte[1 << 20];
        int read;
        for (long at = 0; (read = RandomAccess.Read(file, bytes, at)) > 0; at += read)
        {
            for (int i = 0; i < read; i += 64) bytes[i] ^= 0x10;
            RandomAccess.Write(file, bytes.AsSpan(0, read), at);
        }
    }
}
