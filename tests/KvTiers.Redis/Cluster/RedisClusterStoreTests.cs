using KvTiers.Prefix;
using KvTiers.Tests.Tiers;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis.Tests.Cluster;

/// <summary>The tier on a Redis Cluster of three nodes: the suite that every tier passes, and what many nodes add.</summary>
public sealed class RedisClusterStoreTests : BlockTierTests, IClassFixture<RedisCluster>
{
    private const int Shards = 16;

    private readonly RedisCluster _cluster;
    private readonly string _prefix = $"{Guid.NewGuid():N}:";
    private int _stores;

    public RedisClusterStoreTests(RedisCluster cluster)
    {
        Assert.SkipUnless(RedisCluster.IsAvailable, RedisCluster.Reason);
        _cluster = cluster;
    }

    [Fact]
    public async Task EachPartHasItsShareAndLosesItsOwnOldestWhileTheNodesShareAlike()
    {
        const int Records = 600, Room = (Shards * 8) + 3;
        await using RedisStore store = await OpenAsync(Room);
        RedisShards shards = new(_prefix, RecordBytes, Shards);
        for (int i = 0; i < Records; i++)
            Assert.True(await WriteAsync(store, i));
        IGrouping<RedisShard, int>[] parts = [.. Enumerable.Range(0, Records).GroupBy(i => shards.Of(TestBlocks.Hash(i)))];
        Assert.Equal(Shards, parts.Length);
        Assert.All(parts, part => Assert.True(part.Count() > part.Key.ShareOf(Room)));
        int[] expected = [.. parts.SelectMany(part => part.TakeLast((int)part.Key.ShareOf(Room))).Order()];
        Assert.Equal(Room, expected.Length);
        Assert.Equal(expected, await HeldAsync(store, Records));
        Assert.Equal((Room, (long)(Records - Room)), (store.Count, store.Totals.EvictedRecords));

        int[] byNode = [.. expected.GroupBy(i => _cluster.NodeOf((string)shards.Of(TestBlocks.Hash(i)).Slot!)).OrderBy(node => node.Key).Select(node => node.Count())];
        Assert.Equal(3, byNode.Length);
        Assert.All(byNode, count => Assert.InRange(count, Room / 4, Room / 2));
    }

    /// <summary>Each names records to evict that the other may have used or evicted already.</summary>
    [Fact]
    public async Task TwoThatWriteAtOnceKeepOneBudget()
    {
        const int Records = 400, Room = Shards * 8;
        await using RedisStore one = await OpenAsync(Room), two = await OpenAsync(Room);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Records), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => Assert.True(await WriteAsync(i % 2 == 0 ? one : two, i)));
        Assert.Equal(Room, (await HeldAsync(one, Records)).Length);
        Assert.Equal(Records - Room, one.Totals.EvictedRecords + two.Totals.EvictedRecords);
        Assert.Equal(3 * Room, (await KeysAsync("*")).Count(key => key.Length > 64) + await MembersAsync("*:order:*") + await MembersAsync("*:places:*"));
    }

    [Fact]
    public async Task ANewProcessCountsWhatOthersHaveStored()
    {
        await using RedisStore writer = await OpenAsync(Shards * 8);
        for (int i = 0; i < 40; i++)
            Assert.True(await WriteAsync(writer, i));
        await using RedisStore other = await OpenAsync(Shards * 8);
        Assert.Equal(40, await CountLeadingAsync(other, 40));
        await UntilAsync(() => other.Count == 40);
    }

    [Fact]
    public async Task SmallerItKeepsEachPartsNewestAndClearedNothingOnAnyNode()
    {
        await using RedisStore store = await OpenAsync(Shards * 8);
        RedisShards shards = new(_prefix, RecordBytes, Shards);
        for (int i = 0; i < 100; i++)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(Shards * 2 * RecordBytes, await store.ResizeAsync(Shards * 2 * RecordBytes, CancellationToken.None));
        int[] newest = [.. Enumerable.Range(0, 100).GroupBy(i => shards.Of(TestBlocks.Hash(i))).SelectMany(part => part.TakeLast(2)).Order()];
        Assert.Equal(newest, await HeldAsync(store, 100));
        await store.ClearAsync(CancellationToken.None);
        Assert.Empty(await HeldAsync(store, 100));
        Assert.Equal(0, store.Count);
        Assert.Empty(await KeysAsync("*:order:*", "*:places:*", "*:tenants:*", "*:expiries:*"));
    }

    [Fact]
    public async Task ATenantLosesJustSoManyOfItsOwnFromAllParts()
    {
        await using RedisStore store = await OpenAsync(Shards * 16);
        for (int i = 0; i < 120; i++)
            Assert.True(await store.TryWriteAsync(TestBlocks.Hash(i), Record(i), TestBlocks.Attributes() with { Tenant = i % 3 == 0 ? 7 : 70 }, CancellationToken.None));
        Assert.Equal((40, 80, 0), (await store.CountAsync(7, CancellationToken.None), await store.CountAsync(70, CancellationToken.None), await store.CountAsync(1, CancellationToken.None)));
        Assert.Equal(25, await store.EvictAsync(7, 25, CancellationToken.None));
        Assert.Equal((15, 80), (await store.CountAsync(7, CancellationToken.None), await store.CountAsync(70, CancellationToken.None)));
        Assert.Equal(15, await store.EvictAsync(7, int.MaxValue, CancellationToken.None));
        Assert.Equal(Enumerable.Range(0, 120).Where(i => i % 3 != 0), await HeldAsync(store, 120));
        Assert.Equal(0, await store.EvictAsync(7, 1, CancellationToken.None));
    }

    [Fact]
    public async Task RemovedAndExpiringRecordsAreFoundOnEveryNode()
    {
        await using RedisStore store = await OpenAsync(Shards * 16);
        BlockHash[] hashes = [.. Enumerable.Range(0, 90).Select(TestBlocks.Hash)];
        for (int i = 0; i < 60; i++)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(20, await store.RemoveAsync(hashes.AsMemory(40), CancellationToken.None));
        Assert.Equal(40, await store.ExpireAsync(hashes, DateTimeOffset.UtcNow + TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal(40, store.Count);
        Assert.Equal(40, await CountLeadingAsync(store, 90));
    }

    [Fact]
    public async Task ANodeThatIsAwayCostsItsBlocksAndIsUsedAgainWhenItIsBack()
    {
        using var cluster = new RedisCluster();
        await using RedisStore store = await OpenAsync(Shards * 16, cluster);
        RedisShards shards = new(_prefix, RecordBytes, Shards);
        int NodeOf(int i) => cluster.NodeOf((string)shards.Of(TestBlocks.Hash(i)).Slot!);
        for (int i = 0; i < 60; i++)
            Assert.True(await WriteAsync(store, i));
        int[] lost = [.. Enumerable.Range(0, 60).Where(i => NodeOf(i) == 1)], kept = [.. Enumerable.Range(0, 60).Except(lost)];
        Assert.True(lost.Length >= 10 && kept.Length >= 10);

        cluster.Kill(1);
        await UntilAsync(async () =>
        {
            await FaultsAsync(store, lost[0]);
            return store.IsDegraded;
        });
        foreach (int i in lost)
            Assert.True(await FaultsAsync(store, i));
        foreach (int i in kept)
            Assert.True(await ReadAsync(store, i));
        int[] more = [.. Enumerable.Range(100, 30).Where(i => NodeOf(i) != 1)];
        foreach (int i in more)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(kept.TakeWhile((i, index) => i == index).Count(), await CountOrNoneAsync(store, 60));
        Assert.Equal(kept.Length + more.Length, await store.CountAsync(0, CancellationToken.None));
        Assert.Equal(3, await store.EvictAsync(0, 3, CancellationToken.None));
        Assert.True(await FaultsAsync(() => store.ClearAsync(CancellationToken.None).AsTask())); // but all that can be cleared is
        Assert.Equal(0, await store.CountAsync(0, CancellationToken.None));

        cluster.Start(1);
        await UntilAsync(async () => !store.IsDegraded && !await FaultsAsync(store, lost[0], write: true));
        for (int i = 0; i < 60; i++)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(60, await CountLeadingAsync(store, 60));
        Assert.False(store.IsDegraded);
    }

    [Fact]
    public async Task OneThatHangsCostsADeadlineAndThenNothing()
    {
        using var cluster = new RedisCluster();
        await using RedisStore store = await OpenAsync(Shards * 16, cluster);
        RedisShards shards = new(_prefix, RecordBytes, Shards);
        for (int i = 0; i < 30; i++)
            Assert.True(await WriteAsync(store, i));
        int[] there = [.. Enumerable.Range(0, 30).Where(i => cluster.NodeOf((string)shards.Of(TestBlocks.Hash(i)).Slot!) == 2)];
        cluster.Hang(2);
        for (int i = 0; i < 2; i++)
            await Assert.ThrowsAsync<TimeoutException>(() => ReadAsync(store, there[i]));
        await Assert.ThrowsAsync<TierUnavailableException>(() => ReadAsync(store, there[2]));
        Assert.True(store.IsDegraded);
        int other = Enumerable.Range(0, 30).Except(there).First();
        Assert.True(await ReadAsync(store, other));
        cluster.Resume(2);
        await UntilAsync(() => !store.IsDegraded);
        Assert.Equal(30, await CountLeadingAsync(store, 30));
    }

    /// <summary>All through the move a record is found; a script that needs what is on two nodes for a moment is a fault of that call, and of no node.</summary>
    [Fact]
    public async Task ASlotThatMovesIsFollowed()
    {
        using var cluster = new RedisCluster();
        await using RedisStore store = await OpenAsync(Shards * 16, cluster);
        RedisShards shards = new(_prefix, RecordBytes, Shards);
        for (int i = 0; i < 60; i++)
            Assert.True(await WriteAsync(store, i));
        RedisShard moving = shards.Of(TestBlocks.Hash(0));
        int[] inIt = [.. Enumerable.Range(0, 60).Where(i => shards.Of(TestBlocks.Hash(i)) == moving)];
        int slot = cluster.SlotOf((string)moving.Slot!), from = cluster.NodeOf((string)moving.Slot!), to = (from + 1) % 3;
        cluster.BeginMove(slot, from, to);
        Assert.Equal(60, await CountLeadingAsync(store, 60)); // nothing is there yet

        cluster.MoveKeys(from, to, (string)moving.KeyOf(TestBlocks.Hash(inIt[0]).ToString())!);
        Assert.Equal(60, await CountLeadingAsync(store, 60)); // ASK
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(store, inIt[0])); // the record is there, its place in the order here
        Assert.False(store.IsDegraded);

        cluster.MoveKeys(from, to, cluster.KeysOf(slot, from));
        Assert.True(await ReadAsync(store, inIt[0])); // all of it there, by ASK
        cluster.EndMove(slot, to);
        Assert.Equal(60, await CountLeadingAsync(store, 60)); // MOVED
        foreach (int i in inIt)
            Assert.True(await ReadAsync(store, i));
        Assert.True(await WriteAsync(store, inIt[0]));
        Assert.Equal(inIt.Length, await store.RemoveAsync(inIt.Select(TestBlocks.Hash).ToArray(), CancellationToken.None));
        Assert.Empty(cluster.KeysOf(slot, from));
        Assert.False(store.IsDegraded);
    }

    [Fact]
    public async Task AClusterThatIsThereLaterIsUsedThen()
    {
        using var cluster = new RedisCluster();
        for (int node = 0; node < 3; node++)
            cluster.Kill(node);
        await using RedisStore store = await RedisStore.ConnectAsync(
            RecordBytes, Options(64 * 32, cluster) with { Shards = null, Configuration = cluster.Configuration + ",connectTimeout=200,connectRetry=0" });
        Assert.True(await FaultsAsync(store, 0, write: true));
        for (int node = 0; node < 3; node++)
            cluster.Start(node);
        await UntilAsync(async () => !await FaultsAsync(store, 0, write: true));
        for (int i = 0; i < 30; i++)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(30, await CountLeadingAsync(store, 30));
        Assert.NotEmpty(await KeysAsync(cluster, "{64/*}:order:*"));
        Assert.Empty(await KeysAsync(cluster, "{1/*"));
    }

    [Theory]
    [InlineData(64 * 32, "{64/*")]
    [InlineData((64 * 32) - 1, "{32/*")]
    [InlineData(8, "{1/0}*")]
    public async Task AClusterHasManyPartsUnlessThereIsTooLittleRoom(int records, string keys)
    {
        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, Options(records, _cluster) with { Shards = null });
        for (int i = 0; i < 8; i++)
            Assert.True(await WriteAsync(store, i));
        Assert.Equal(8, (await KeysAsync(keys)).Count(key => key.Length > 64));
        Assert.Equal((await KeysAsync("*")).Length, (await KeysAsync(keys)).Length);
    }

    private protected override TimeProvider Clock => TimeProvider.System;

    private protected override TimeSpan ShortLife => TimeSpan.FromMilliseconds(300);

    private protected override Task OutliveAsync() => Task.Delay(2 * ShortLife);

    // So small that it is one part, whose order is exact.
    private protected override IRecordStore CreateStore(int capacity) => RedisStore.ConnectAsync(
        RecordBytes,
        Options(capacity, _cluster) with { KeyPrefix = $"{_prefix}{_stores++}:", Shards = null, Deadline = TimeSpan.FromSeconds(5) }).GetAwaiter().GetResult();

    private Task<RedisStore> OpenAsync(int records, RedisCluster? cluster = null) => RedisStore.ConnectAsync(RecordBytes, Options(records, cluster ?? _cluster));

    private RedisStoreOptions Options(int records, RedisCluster cluster) => new()
    {
        Configuration = cluster.Configuration,
        CapacityBytes = (long)records * RecordBytes,
        KeyPrefix = _prefix,
        Shards = Shards,
        FaultsToOpen = 2,
        RetryAfter = TimeSpan.FromMilliseconds(500),
        Deadline = TimeSpan.FromSeconds(1),
    };

    private static byte[] Record(int number) => [.. Enumerable.Repeat((byte)number, RecordBytes)];

    private static Task<bool> WriteAsync(RedisStore store, int number) =>
        store.TryWriteAsync(TestBlocks.Hash(number), Record(number), TestBlocks.Attributes(), CancellationToken.None).AsTask();

    private static async Task<bool> ReadAsync(RedisStore store, int number)
    {
        byte[] read = new byte[RecordBytes];
        bool held = await store.TryReadAsync(TestBlocks.Hash(number), read, CancellationToken.None);
        Assert.True(!held || read.AsSpan().SequenceEqual(Record(number)));
        return held;
    }

    private static Task<bool> FaultsAsync(RedisStore store, int number, bool write = false) =>
        FaultsAsync(() => write ? WriteAsync(store, number) : ReadAsync(store, number));

    private static async Task<bool> FaultsAsync(Func<Task> call)
    {
        try
        {
            await call();
            return false;
        }
        catch (Exception fault) when (fault is IOException or TimeoutException)
        {
            return true;
        }
    }

    private static Task<int> CountLeadingAsync(RedisStore store, int records) =>
        store.CountLeadingAsync(Enumerable.Range(0, records).Select(TestBlocks.Hash).ToArray(), CancellationToken.None).AsTask();

    private static async Task<int> CountOrNoneAsync(RedisStore store, int records)
    {
        try
        {
            return await CountLeadingAsync(store, records);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException)
        {
            return 0;
        }
    }

    private static async Task<int[]> HeldAsync(RedisStore store, int records)
    {
        var held = new List<int>();
        for (int i = 0; i < records; i++)
        {
            if (await store.CountLeadingAsync(new[] { TestBlocks.Hash(i) }, CancellationToken.None) == 1)
                held.Add(i);
        }

        return [.. held];
    }

    private Task<string[]> KeysAsync(params string[] patterns) => KeysAsync(_cluster, patterns);

    private async Task<string[]> KeysAsync(RedisCluster cluster, params string[] patterns)
    {
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(cluster.Configuration);
        return [.. patterns.SelectMany(pattern => connection.GetServers().SelectMany(server => server.Keys(pattern: _prefix + pattern))).Select(key => key.ToString())];
    }

    private async Task<long> MembersAsync(string pattern)
    {
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_cluster.Configuration);
        return (await Task.WhenAll((await KeysAsync(pattern)).Select(key => connection.GetDatabase().SortedSetLengthAsync(key)))).Sum();
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (int attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 600, "it did not come about");
            await Task.Delay(100);
        }
    }
}
