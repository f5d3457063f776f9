using System.Text.Json.Nodes;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Tests.Talks;
using KvTiers.Tests.Support;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>Servers over one Redis, which dies, hangs and comes back: every request is answered rightly all the while.</summary>
public sealed class SharedRedisTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RedisServer _redis;

    public SharedRedisTests()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        _redis = new RedisServer();
    }

    public void Dispose()
    {
        _redis.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task WhatOneProcessComputedAnotherLoadsAndGivesTheSameTokens()
    {
        string[] settings = ["--kv", "f32", "--redis", _redis.Configuration, "--KvTiers:Promotion=always", "--KvTiers:RedisDeadline=60s", "--KvTiers:TenantSecret=" + Convert.ToHexStringLower(TenantSalts.NewSecret())];
        await using SiloProcess first = await SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName, settings);
        var talks = new TalkGroup("shared", 4);
        Dictionary<string, int> cached = await talks.SayAsync(first.Http, turns: 5);
        Assert.Equal(0, cached["redis"]);
        await Eventually.TrueAsync(async () => (await TalkGroup.MetricsAsync(first.Http))["kvtiers_tier_queued_blocks{tier=\"redis\"}"] == 0);

        await using SiloServer second = await SiloServer.StartAsync(settings);
        int fromRedis = await talks.CheckAgainstAsync(second.Http);
        Assert.True(fromRedis >= 4 * 16, $"only {fromRedis} tokens came from Redis");
    }

    [Fact]
    public async Task ARedisThatHangsDiesAndComesBackCostsNoAnswerAndIsUsedAgain()
    {
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        await using SiloServer silo = await SiloServer.StartAsync("--hot", "1MiB", "--kv", "f32", "--redis", _redis.Configuration, "--KvTiers:Promotion=always");
        var talks = new TalkGroup("there-and-gone", 16);
        await Eventually.TrueAsync(async () => (await talks.SayAsync(silo.Http, turns: 1))["redis"] > 0);

        _redis.Hang();
        await Eventually.TrueAsync(async () =>
        {
            await talks.SayAsync(silo.Http, turns: 1);
            return await StatusAsync(silo) == "degraded";
        });
        IReadOnlyDictionary<string, double> hung = await TalkGroup.MetricsAsync(silo.Http);
        Assert.True(TalkGroup.Misses(hung, "redis", "deadline") > 0);
        _redis.Resume();
        var again = new TalkGroup("resumed", 16);
        await Eventually.TrueAsync(async () => (await again.SayAsync(silo.Http, turns: 1))["redis"] > 0 && await StatusAsync(silo) == "ready");

        _redis.Kill();
        var meanwhile = new TalkGroup("killed", 16);
        await Eventually.TrueAsync(async () =>
        {
            // What is left alone is a miss for whoever asks next.
            await meanwhile.SayAsync(silo.Http, turns: 1);
            return await StatusAsync(silo) == "degraded" && TalkGroup.Misses(await TalkGroup.MetricsAsync(silo.Http), "redis", "unavailable") > TalkGroup.Misses(hung, "redis", "unavailable");
        });
        _redis.Start();
        var last = new TalkGroup("restarted", 16);
        await Eventually.TrueAsync(async () => (await last.SayAsync(silo.Http, turns: 1))["redis"] > 0 && await StatusAsync(silo) == "ready");

        foreach (TalkGroup group in (TalkGroup[])[talks, again, meanwhile, last])
        {
            await group.CheckStoredAsync(silo.Http);
            await group.CheckAgainstAsync(reference.Http);
        }
    }

    private static async Task<string> StatusAsync(SiloServer silo)
    {
        JsonObject ready = await silo.Http.GetJsonAsync("/readyz");
        return (string)ready["status"]!;
    }
}
