using KvTiers.Tests;
using KvTiers.Tests.Shared;
using KvTiers.Tests.Tiers;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis.Tests;

/// <summary>The keys in which the tier keeps books, when somebody else has written to them: the tier is whole again, and says so once.</summary>
public sealed class RedisBooksTests : IClassFixture<RedisServer>
{
    private const int Held = 5;

    private static readonly string[] Books = ["order", "uses", "expiries", "tenants", "places"];

    private readonly RedisServer _server;
    private readonly string _prefix = $"{Guid.NewGuid():N}:";
    private readonly List<string> _reports = [];
    private readonly VirtualTime _time = new();

    public RedisBooksTests(RedisServer server)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        _server = server;
    }

    public static TheoryData<string, string> Replacements
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string book in Books)
            {
                foreach (string value in (string[])["string", "list", "hash", "gone"])
                {
                    // A counter that is gone begins again, which changes nothing that a call stumbles over.
                    if ((book, value) is not (("uses", "string") or ("tenants", "hash")))
                        all.Add(book, value);
                }
            }

            all.Add("uses", "text");
            all.Add("uses", "9223372036854775807");
            all.Add("uses", "-5");
            all.Add("uses", "1e3");
            all.Add("order", "infinite");
            all.Add("order", "strangers");
            all.Add("expiries", "infinite");
            return all;
        }
    }

    /// <summary>What there was is found, the budget and the order hold, and the next look finds nothing.</summary>
    [Theory]
    [MemberData(nameof(Replacements))]
    public async Task BooksThatSomebodyReplacedAreMadeAnewFromTheRecords(string book, string value)
    {
        await using RedisStore store = await OpenAsync();
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        for (int i = 1; i <= Held; i++)
            Assert.True(await tier.TryWriteAsync(TestBlocks.Hash(i), TestBlocks.Bytes(i), TestBlocks.Attributes(priority: i == 1 ? 9 : 0) with { Tenant = i % 2 }, CancellationToken.None));
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        IDatabase database = connection.GetDatabase();
        RedisKey key = $"{_prefix}{{1/0}}:{book}:{TestBlocks.Format.RecordBytes}";
        await ReplaceAsync(database, key, value);

        await LookAsync(store, database, key);
        string report = Assert.Single(_reports);
        Assert.Contains("books", report, StringComparison.Ordinal);
        Assert.Equal(report, store.Trouble);
        for (int i = 1; i <= Held; i++)
            Assert.True(await tier.ReadAsync(i));
        Assert.False(store.IsDegraded);
        Assert.Equal((3L, 2L), (await store.CountAsync(1, CancellationToken.None), await store.CountAsync(0, CancellationToken.None)));

        // The first has the highest rank, as its record says; of the others the least recently used go.
        for (int i = 11; i <= 14; i++)
            Assert.True(await tier.WriteAsync(i));
        await tier.AssertHoldsAsync([1, 3, 4, 5, 11, 12, 13, 14], of: Enumerable.Range(1, 20));
        Assert.Equal(8, store.Count);
        Assert.Equal(0, tier.Usage.Misses.Where(miss => miss.Key != TierMiss.Absent).Sum(miss => miss.Value));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(store.Trouble);
        Assert.Single(_reports);
    }

    /// <summary>Whatever call it is that stumbles first.</summary>
    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    [InlineData("remove")]
    [InlineData("expire")]
    [InlineData("count")]
    [InlineData("evict")]
    public async Task TheCallThatStumblesDoesWhatItWasAsked(string call)
    {
        await using RedisStore store = await OpenAsync();
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        for (int i = 1; i <= Held; i++)
            Assert.True(await tier.WriteAsync(i));
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        foreach (string book in Books)
            await ReplaceAsync(connection.GetDatabase(), $"{_prefix}{{1/0}}:{book}:{TestBlocks.Format.RecordBytes}", "list");
        bool done = call switch
        {
            "read" => await tier.ReadAsync(2),
            "write" => await tier.WriteAsync(9),
            "remove" => (await tier.RemoveAsync(new[] { TestBlocks.Hash(2) }, CancellationToken.None)).Count == 1,
            "expire" => (await tier.ExpireAsync(new[] { TestBlocks.Hash(2) }, _time.GetUtcNow().AddMinutes(1), CancellationToken.None)).Count == 1,
            "count" => await store.CountAsync(0, CancellationToken.None) == Held,
            _ => await store.EvictAsync(0, 2, CancellationToken.None) == 2,
        };
        Assert.True(done);
        Assert.Single(_reports);
        Assert.Equal(0, tier.Usage.Misses.Values.Sum());
        Assert.False(store.IsDegraded);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("hash")]
    public async Task SomethingElseUnderARecordsNameIsAMissOnce(string value)
    {
        await using RedisStore store = await OpenAsync();
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        Assert.True(await tier.WriteAsync(1));
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        await ReplaceAsync(connection.GetDatabase(), $"{_prefix}{{1/0}}:{TestBlocks.Hash(1)}", value);
        Assert.False(await tier.ReadAsync(1));
        Assert.Equal(1, tier.Usage.Misses.Where(miss => miss.Key is not TierMiss.Absent).Sum(miss => miss.Value));
        Assert.True(await tier.WriteAsync(1));
        Assert.True(await tier.ReadAsync(1));
        Assert.False(store.IsDegraded);
    }

    /// <summary>Records of another length lie beside them and have books of their own.</summary>
    [Fact]
    public async Task RecordsOfAnotherTierAreLeftToIt()
    {
        await using RedisStore store = await OpenAsync(), other = await OpenAsync(2 * TestBlocks.Format.RecordBytes);
        byte[] large = new byte[2 * TestBlocks.Format.RecordBytes], record = new byte[TestBlocks.Format.RecordBytes];
        Assert.True(await store.TryWriteAsync(TestBlocks.Hash(1), record, TestBlocks.Attributes(), CancellationToken.None));
        Assert.True(await other.TryWriteAsync(TestBlocks.Hash(2), large, TestBlocks.Attributes(), CancellationToken.None));
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        await ReplaceAsync(connection.GetDatabase(), $"{_prefix}{{1/0}}:order:{TestBlocks.Format.RecordBytes}", "list");
        Assert.Equal(1, await store.CountAsync(0, CancellationToken.None));
        Assert.Equal(1, await other.CountAsync(0, CancellationToken.None));
        Assert.True(await other.TryReadAsync(TestBlocks.Hash(2), large, CancellationToken.None));
    }

    private static async Task ReplaceAsync(IDatabase database, RedisKey key, string value)
    {
        string[] held = [.. (await database.KeyTypeAsync(key) == RedisType.SortedSet ? await database.SortedSetRangeByRankAsync(key) : []).Select(member => member.ToString())];
        if (value != "strangers")
            await database.KeyDeleteAsync(key);
        switch (value)
        {
            case "string" or "text":
                await database.StringSetAsync(key, "something else");
                break;
            case "list":
                await database.ListRightPushAsync(key, ["a", "b"]);
                break;
            case "hash":
                await database.HashSetAsync(key, "a", "b");
                break;
            case "infinite":
                foreach (string member in held)
                    await database.SortedSetAddAsync(key, member, double.PositiveInfinity);
                break;
            case "strangers":
                for (int i = 0; i < 100; i++)
                    await database.SortedSetAddAsync(key, $"stranger {i}", 1e14 + i);
                break;
            case "gone":
                break;
            default:
                await database.StringSetAsync(key, value);
                break;
        }
    }

    // A look comes every minute; here, until it has come, as the clock is the test's.
    private async Task LookAsync(RedisStore store, IDatabase database, RedisKey key)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (store.Trouble is null)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, deadline.Token);
        }

        Assert.NotEqual(RedisType.List, await database.KeyTypeAsync(key));
    }

    private Task<RedisStore> OpenAsync(int? recordBytes = null) => RedisStore.ConnectAsync(
        recordBytes ?? TestBlocks.Format.RecordBytes,
        new RedisStoreOptions
        {
            Configuration = _server.Configuration,
            CapacityBytes = 8L * (recordBytes ?? TestBlocks.Format.RecordBytes),
            KeyPrefix = _prefix,
            Deadline = TimeSpan.FromSeconds(60),
            Report = report =>
            {
                lock (_reports)
                    _reports.Add(report);
            },
        },
        _time);
}
