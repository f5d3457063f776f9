using System.Text.Json.Nodes;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Tests.Talks;
using KvTiers.Tests.Support;
using Microsoft.Win32.SafeHandles;
using StackExchange.Redis;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>Whoever can write Redis or the disk, and does, costs computing and no answer: those are the ones that a server without colder tiers gives.</summary>
[Collection(AloneCollection.Name)]
public sealed class ForgedBlockTests : IDisposable
{
    private const int Prompts = 4;

    private static readonly string[] Secrets =
        ["--KvTiers:TenantSecret=" + Convert.ToHexStringLower(TenantSalts.NewSecret()), "--KvTiers:RecordKey=" + Convert.ToHexStringLower(TenantSalts.NewSecret())];

    private readonly TemporaryFolder _data = new();

    public static TheoryData<string, string> Kinds
    {
        get
        {
            var kinds = new TheoryData<string, string>();
            foreach ((string kind, string miss) in RecordForger.Kinds)
                kinds.Add(kind, miss);
            return kinds;
        }
    }

    public void Dispose() => _data.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    [InlineData("truncated", "unauthentic")]
    public async Task WhatSomebodyWroteToRedisIsAMiss(string kind, string miss)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var redis = new RedisServer();
        string[] arguments = ["--redis", redis.Configuration, "--KvTiers:Promotion=always", "--KvTiers:RedisDeadline=60s", .. Secrets];
        string[] expected = await ExpectedAsync();
        await using (SiloServer first = await SiloServer.StartAsync(arguments))
        {
            Assert.Equal(expected, await AskAsync(first));
            await first.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        }

        await using (SiloServer second = await SiloServer.StartAsync(arguments))
        {
            Assert.Equal(expected, await AskAsync(second));
            Assert.True((await TalkGroup.MetricsAsync(second.Http))["kvtiers_tier_hits_total{tier=\"redis\"}"] > Prompts);
        }

        using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration))
        {
            IDatabase database = connection.GetDatabase();
            RedisKey[] keys = [.. connection.GetServer(connection.GetEndPoints().Single()).Keys(pattern: "kvt:3:{*}:????????????????????????????????????????????????????????????????", pageSize: 1000)];
            byte[][] records = [.. keys.Select(key => (byte[])database.StringGet(key)!)];
            Assert.True(keys.Length > Prompts);
            if (kind == "truncated")
                records = [.. records.Select(record => record[..^100])];
            else
                RecordForger.Forge(records, kind);
            for (int i = 0; i < keys.Length; i++)
                await database.StringSetAsync(keys[i], records[i], TimeSpan.FromHours(1));
        }

        await using SiloServer third = await SiloServer.StartAsync(arguments);
        await CheckAsync(third, "redis", miss, expected);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task WhatSomebodyWroteToTheDiskIsAMiss(string kind, string miss)
    {
        string[] arguments = ["--data", _data.FullName, "--disk", "16MiB", "--KvTiers:Promotion=always", .. kind == "own-key" ? [] : Secrets];
        string[] expected = await ExpectedAsync();
        int recordBytes;
        await using (SiloServer first = await SiloServer.StartAsync(arguments))
        {
            Assert.Equal(expected, await AskAsync(first));
            recordBytes = first.Model.Engine.Tiers!.Usage.Single().BytesPerBlock is var bytes ? (int)bytes : 0;
        }

        await using (SiloServer second = await SiloServer.StartAsync(arguments))
        {
            Assert.Equal(expected, await AskAsync(second));
            Assert.True((await TalkGroup.MetricsAsync(second.Http))["kvtiers_tier_hits_total{tier=\"disk\"}"] > Prompts);
        }

        foreach (string segment in Directory.EnumerateFiles(Path.Combine(_data.FullName, "blocks"), "segment-*.kvb"))
        {
            using SafeFileHandle file = File.OpenHandle(segment, FileMode.Open, FileAccess.ReadWrite);
            var records = new List<(long Offset, byte[] Record)>();
            for (long at = 0; at < RandomAccess.GetLength(file); at += recordBytes)
            {
                byte[] record = new byte[recordBytes];
                if (RandomAccess.Read(file, record, at) == recordBytes && record[0] != 0)
                    records.Add((at, record));
            }

            RecordForger.Forge([.. records.Select(one => one.Record)], kind);
            foreach ((long at, byte[] record) in records)
                RandomAccess.Write(file, record, at);
        }

        await using SiloServer third = await SiloServer.StartAsync(arguments);
        await CheckAsync(third, "disk", miss, expected);
    }

    /// <summary>The stated mode of loopback: whoever writes that Redis is trusted, and what is no number is a miss all the same.</summary>
    [Fact]
    public async Task WithoutAKeyWhatIsNoNumberIsAMissStill()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var redis = new RedisServer();
        string[] arguments = ["--redis", redis.Configuration, "--KvTiers:Promotion=always", "--KvTiers:RedisDeadline=60s", Secrets[0]];
        string[] expected = await ExpectedAsync();
        await using (SiloServer first = await SiloServer.StartAsync(arguments))
        {
            Assert.Equal(expected, await AskAsync(first));
            await first.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        }

        using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration))
        {
            IDatabase database = connection.GetDatabase();
            foreach (RedisKey key in connection.GetServer(connection.GetEndPoints().Single()).Keys(pattern: "kvt:3:{*}:????????????????????????????????????????????????????????????????", pageSize: 1000).ToArray())
            {
                byte[] record = (await database.StringGetAsync(key))!;
                RecordForger.Forge([record], "infinite");
                await database.StringSetAsync(key, record, TimeSpan.FromHours(1));
            }
        }

        await using SiloServer second = await SiloServer.StartAsync(arguments);
        await CheckAsync(second, "redis", "not_finite", expected);
    }

    private static async Task CheckAsync(SiloServer silo, string tier, string miss, string[] expected)
    {
        Assert.Equal(expected, await AskAsync(silo));
        IReadOnlyDictionary<string, double> metrics = await TalkGroup.MetricsAsync(silo.Http);
        Assert.Equal(0, metrics[$"kvtiers_tier_hits_total{{tier=\"{tier}\"}}"]);
        Assert.True(TalkGroup.Misses(metrics, tier, miss) > 0, string.Join(Environment.NewLine, metrics.Where(metric => metric.Key.StartsWith("kvtiers_tier_misses", StringComparison.Ordinal) && metric.Value > 0)));
        Assert.Equal("ready", (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]!);
    }

    private static async Task<string[]> ExpectedAsync()
    {
        await using SiloServer alone = await SiloServer.StartAsync();
        return await AskAsync(alone);
    }

    private static async Task<string[]> AskAsync(SiloServer silo)
    {
        var answers = new string[Prompts];
        for (int i = 0; i < Prompts; i++)
        {
            var body = new JsonObject
            {
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"Number {i}: the ferry to the island leaves at nine, and whoever forges a ticket for it is left behind on the pier." }),
                ["max_tokens"] = 16,
                ["temperature"] = 0,
            };
            JsonObject answer = await silo.Http.PostAsync("/v1/chat/completions", body.ToJsonString());
            answers[i] = (string)answer["choices"]![0]!["message"]!["content"]!;
        }

        return answers;
    }
}
