using System.Text.Json.Nodes;
using KvTiers.Silo.Tests.Talks;
using KvTiers.Tests.Support;
using StackExchange.Redis;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>A Redis whose bookkeeping somebody replaced under a serving silo: said in <c>/readyz</c>, and whole again without a restart.</summary>
[Collection(AloneCollection.Name)]
public sealed class ReplacedBooksTests
{
    [Fact]
    public async Task TheTierIsUsedOnAndTheServerSaysWhatHappened()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var redis = new RedisServer();
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        await using SiloServer silo = await SiloServer.StartAsync(
            "--hot", "1MiB", "--kv", "f32", "--redis", redis.Configuration, "--store", "redis", "--KvTiers:Promotion=always", "--KvTiers:RedisDeadline=60s", "--KvTiers:StoreDeadline=60s");
        var talks = new TalkGroup("books", 16);
        await talks.SayAsync(silo.Http, turns: 2);
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        Assert.Equal("ready", (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]!);

        using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration))
        {
            IDatabase database = connection.GetDatabase();
            RedisKey[] books = [.. connection.GetServer(connection.GetEndPoints().Single()).Keys(pattern: "kvt:3:*:*:*").Where(key => key.ToString().Length < 64), "kvc:1:default//ids"];
            Assert.Equal(6, books.Length);
            foreach (RedisKey book in books)
            {
                Assert.True(await database.KeyDeleteAsync(book));
                await database.StringSetAsync(book, "something else");
            }
        }

        Dictionary<string, int> cached = await talks.SayAsync(silo.Http, turns: 2);
        Assert.True(cached["redis"] > 0);
        Assert.Equal(16, (await silo.Http.GetJsonAsync("/v1/conversations"))["data"]!.AsArray().Count);
        JsonObject ready = await silo.Http.GetJsonAsync("/readyz");
        Assert.Equal("degraded", (string)ready["status"]!);
        Assert.Equal(2, ready["reasons"]!.AsArray().Count(reason => ((string)reason!).Contains("made anew", StringComparison.Ordinal)));
        IReadOnlyDictionary<string, double> metrics = await TalkGroup.MetricsAsync(silo.Http);
        Assert.Equal(0, metrics["kvtiers_tier_degraded{tier=\"redis\"}"]);
        Assert.Equal(0, TalkGroup.Misses(metrics, "redis", "read_error") + TalkGroup.Misses(metrics, "redis", "write_error") + TalkGroup.Misses(metrics, "redis", "other_error"));
        await talks.CheckStoredAsync(silo.Http);
        await talks.CheckAgainstAsync(reference.Http);
    }
}
