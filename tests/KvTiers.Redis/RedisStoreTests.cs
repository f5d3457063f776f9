using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tests.Tiers;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;
using StackExchange.Redis;

namespace KvTiers.Redis.Tests;

public sealed class RedisStoreTests : BlockTierTests, IClassFixture<RedisServer>
{
    private readonly RedisServer _server;
    private int _stores;

    public RedisStoreTests(RedisServer server)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        _server = server;
    }

    [Fact]
    public async Task WhatOneProcessWroteAnotherReads()
    {
        await using BlockTier writer = OpenAt(_server, "shared:");
        await using BlockTier reader = OpenAt(_server, "shared:");
        await writer.WriteAsync(1);
        Assert.True(await reader.ReadAsync(1));
    }

    [Fact]
    public async Task EveryKeyHasATimeToLiveAndAReadRenewsIt()
    {
        await using BlockTier tier = OpenAt(_server, "ttl:");
        await tier.WriteAsync(1);
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        IDatabase database = connection.GetDatabase();
        RedisKey key = KeyOf("ttl:", 1);
        Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        Assert.Equal(1, (await tier.ExpireAsync(new[] { TestBlocks.Hash(1), TestBlocks.Hash(2) }, DateTimeOffset.UtcNow + TimeSpan.FromMinutes(1), CancellationToken.None)).Count);
        Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromSeconds(50), TimeSpan.FromMinutes(1));
        Assert.True(await tier.ReadAsync(1));
        Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task AServerThatIsGoneIsMissesAndOneThatIsBackIsUsedAgain()
    {
        using var server = new RedisServer();
        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, Impatient(server), Time);
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        await EventuallyAsync(() => tier.WriteAsync(1));
        server.Kill();
        for (int i = 0; i < 8; i++)
        {
            Assert.False(await tier.ReadAsync(1));
            Assert.False(await tier.WriteAsync(2));
        }

        Assert.True(store.IsDegraded);
        Assert.True(tier.Usage.Misses[TierMiss.Unavailable] > 0);
        server.Start();
        await EventuallyAsync(() => tier.WriteAsync(3));
        await EventuallyAsync(() => tier.ReadAsync(3));
        Assert.False(store.IsDegraded);
    }

    [Fact]
    public async Task AServerThatHangsCostsADeadlineAndThenNothing()
    {
        using var server = new RedisServer();
        await using (BlockTier writer = OpenAt(server, "a:"))
            Assert.True(await writer.WriteAsync(1));

        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, Impatient(server), Time);
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        await EventuallyAsync(() => tier.ReadAsync(1)); // so that what a store asks once, of its parts, is not a fault of its own
        server.Hang();
        for (int i = 0; i < 4; i++)
            Assert.False(await tier.ReadAsync(1));

        Assert.Equal((2, 2), (tier.Usage.Misses[TierMiss.Deadline], tier.Usage.Misses[TierMiss.Unavailable]));
        Assert.True(store.IsDegraded);
        server.Resume();
        await EventuallyAsync(() => tier.ReadAsync(1));
    }

    [Fact]
    public async Task AFlushedServerIsAMissAndFillsAgain()
    {
        using var server = new RedisServer();
        await using BlockTier tier = OpenAt(server, "a:");
        await tier.WriteAsync(1);
        using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(server.Configuration))
            await connection.GetServer(connection.GetEndPoints().Single()).FlushAllDatabasesAsync();

        Assert.False(await tier.ReadAsync(1));
        Assert.True(await tier.WriteAsync(1));
        Assert.True(await tier.ReadAsync(1));
    }

    [Fact]
    public async Task AServerThatIsNotThereYetIsNoErrorAtStart()
    {
        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, new RedisStoreOptions
        {
            Configuration = "127.0.0.1:1,connectTimeout=200,connectRetry=0",
            CapacityBytes = RecordBytes,
        });
        await using var tier = new BlockTier("redis", TestBlocks.Format, store);
        Assert.False(await tier.ReadAsync(1));
        Assert.Equal(0, await tier.CountLeadingAsync(new BlockHash[] { TestBlocks.Hash(1) }, CancellationToken.None));
    }

    /// <summary>A record that was cut short on the server is a miss.</summary>
    [Fact]
    public async Task ARecordThatIsTooShortIsAMiss()
    {
        var layout = new BlockLayout(Layers: 3, KvHeads: 1, HeadDim: 64);
        var format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        RedisStoreOptions options = Options(_server, "short:", 0) with { CapacityBytes = 8L * format.RecordBytes, DataConnections = 3 };
        await using var tier = new BlockTier("redis", format, await RedisStore.ConnectAsync(format.RecordBytes, options));
        byte[] block = new byte[layout.BytesPerBlock], read = new byte[layout.BytesPerBlock];
        TestBlocks.Fill(block, seed: 5);
        Assert.True(await tier.TryWriteAsync(TestBlocks.Hash(1), block, TestBlocks.Attributes(), CancellationToken.None));
        Assert.True(await tier.TryReadAsync(TestBlocks.Hash(1), read, CancellationToken.None));
        Assert.Equal(block, read);

        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        RedisKey key = KeyOf("short:", 1);
        byte[] record = (await connection.GetDatabase().StringGetAsync(key))!;
        await connection.GetDatabase().StringSetAsync(key, record[..^5]);
        Assert.False(await tier.TryReadAsync(TestBlocks.Hash(1), read, CancellationToken.None));
        Assert.Equal(1, tier.Usage.Misses[TierMiss.Corrupt]);
        await connection.GetDatabase().StringSetAsync(key, record[..300]);
        Assert.False(await tier.TryReadAsync(TestBlocks.Hash(1), read, CancellationToken.None));
        Assert.Equal(2, tier.Usage.Misses[TierMiss.Corrupt]);
    }

    /// <summary>What is asked for is received whether anyone takes it or not, so it is bounded however many read.</summary>
    [Fact]
    public async Task NoMoreIsAskedForAtOneTimeThanTheOptionSays()
    {
        const int Readers = 12, AtOnce = 3;
        int recordBytes = 80 << 10;
        using var server = new RedisServer();
        await using RedisStore store = await RedisStore.ConnectAsync(recordBytes, Options(server, "a:", 0) with
        {
            CapacityBytes = (long)Readers * recordBytes,
            ReadBytesAtOnce = (AtOnce * recordBytes) + 1,
        });
        byte[][] records = [.. Enumerable.Range(0, Readers).Select(i => Enumerable.Repeat((byte)(i + 1), recordBytes).ToArray())];
        for (int i = 0; i < Readers; i++)
            Assert.True(await store.TryWriteAsync(TestBlocks.Hash(i), records[i], TestBlocks.Attributes(), CancellationToken.None));

        Assert.Equal(0, store.RecordCommandsUnderWay);
        byte[][] read = [.. records.Select(record => new byte[record.Length])];
        server.Hang();
        Task<bool>[] reads = [.. read.Select((target, i) => store.TryReadAsync(TestBlocks.Hash(i), target, CancellationToken.None).AsTask())];
        long underWay = store.RecordCommandsUnderWay;
        server.Resume();
        Assert.Equal(AtOnce, underWay);
        Assert.All(await Task.WhenAll(reads), Assert.True);
        Assert.Equal(records, read);
    }

    /// <summary>What a process names to make room, it was told at its last write; another may have read that since.</summary>
    [Fact]
    public async Task WhatAnotherProcessUsedMeanwhileIsNotEvicted()
    {
        await using RedisStore writer = await RedisStore.ConnectAsync(RecordBytes, Options(_server, "meanwhile:", 3));
        await using RedisStore reader = await RedisStore.ConnectAsync(RecordBytes, Options(_server, "meanwhile:", 3));
        byte[] record = new byte[RecordBytes];
        for (int i = 1; i <= 3; i++)
            Assert.True(await writer.TryWriteAsync(TestBlocks.Hash(i), record, TestBlocks.Attributes(), CancellationToken.None));

        Assert.True(await reader.TryReadAsync(TestBlocks.Hash(1), record, CancellationToken.None));
        Assert.True(await writer.TryWriteAsync(TestBlocks.Hash(4), record, TestBlocks.Attributes(), CancellationToken.None));
        Assert.Equal(1, await reader.CountLeadingAsync(new[] { TestBlocks.Hash(1), TestBlocks.Hash(2) }, CancellationToken.None));
        Assert.Equal(2, await reader.CountLeadingAsync(new[] { TestBlocks.Hash(3), TestBlocks.Hash(4) }, CancellationToken.None));
        Assert.Equal((3, 1), (writer.Count, writer.Totals.EvictedRecords));
    }

    /// <summary>Who writes names what it was told goes next, so making room is part of the same script.</summary>
    [Fact]
    public async Task AWriteToAFullTierIsOneScript()
    {
        using var server = new RedisServer();
        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, Options(server, "full:", 8) with { Deadline = TimeSpan.FromSeconds(20) });
        byte[] record = new byte[RecordBytes];
        for (int i = 0; i < 12; i++)
            Assert.True(await store.TryWriteAsync(TestBlocks.Hash(i), record, TestBlocks.Attributes(), CancellationToken.None));

        RedisWire.Ask(server.Port, "CONFIG", "RESETSTAT");
        for (int i = 12; i < 112; i++)
            Assert.True(await store.TryWriteAsync(TestBlocks.Hash(i), record, TestBlocks.Attributes(), CancellationToken.None));

        Assert.Equal((8, 104), (store.Count, store.Totals.EvictedRecords));
        Assert.Contains("cmdstat_evalsha:calls=100,", RedisWire.Ask(server.Port, "INFO", "commandstats"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARecordThatIsLargerThanWhatIsAskedForAtOneTimeIsReadByItself()
    {
        const int LargeBytes = 80 << 10;
        await using RedisStore store = await RedisStore.ConnectAsync(LargeBytes, Options(_server, "large:", 0) with
        {
            CapacityBytes = LargeBytes,
            ReadBytesAtOnce = 64 << 10,
        });
        byte[] record = [.. Enumerable.Repeat((byte)7, LargeBytes)], read = new byte[LargeBytes];
        Assert.True(await store.TryWriteAsync(TestBlocks.Hash(1), record, TestBlocks.Attributes(), CancellationToken.None));

        Assert.True(await store.TryReadAsync(TestBlocks.Hash(1), read, CancellationToken.None));

        Assert.Equal(record, read);
    }

    [Theory]
    [InlineData("TimeToLive")]
    [InlineData("Deadline")]
    [InlineData("CapacityBytes")]
    [InlineData("FaultsToOpen")]
    [InlineData("RetryAfter")]
    [InlineData("DataConnections")]
    [InlineData("ReadBytesAtOnce")]
    [InlineData("Configuration")]
    [InlineData("KeyPrefix")]
    [InlineData("Tagged KeyPrefix")]
    [InlineData("Shards")]
    [InlineData("Too many Shards")]
    public async Task OptionsOutOfRangeAreNamed(string property)
    {
        RedisStoreOptions options = Options(_server, "a:", 8);
        options = property switch
        {
            "TimeToLive" => options with { TimeToLive = TimeSpan.FromMilliseconds(999) },
            "Deadline" => options with { Deadline = TimeSpan.FromMilliseconds(9) },
            "CapacityBytes" => options with { CapacityBytes = RecordBytes - 1 },
            "FaultsToOpen" => options with { FaultsToOpen = 0 },
            "DataConnections" => options with { DataConnections = 17 },
            "ReadBytesAtOnce" => options with { ReadBytesAtOnce = (64 << 10) - 1 },
            "RetryAfter" => options with { RetryAfter = TimeSpan.FromMilliseconds(9) },
            "Tagged KeyPrefix" => options with { KeyPrefix = "a{b}:" },
            "Shards" => options with { Shards = 3 },
            "Too many Shards" => options with { Shards = 2048 },
            "Configuration" => options with { Configuration = " " },
            _ => options with { KeyPrefix = "" },
        };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => RedisStore.ConnectAsync(RecordBytes, options));
        Assert.Equal(property.Split(' ')[^1], error.ParamName);
    }

    private protected override TimeProvider Clock => TimeProvider.System;

    private protected override TimeSpan ShortLife => TimeSpan.FromMilliseconds(300);

    private protected override Task OutliveAsync() => Task.Delay(2 * ShortLife);

    private protected override IRecordStore CreateStore(int capacity) =>
        RedisStore.ConnectAsync(RecordBytes, Options(_server, $"{Guid.NewGuid():N}:{_stores++}:", capacity)).GetAwaiter().GetResult();

    private static RedisKey KeyOf(string prefix, int number) => new RedisShards(prefix, RecordBytes, 1).Of(TestBlocks.Hash(number)).KeyOf(TestBlocks.Hash(number).ToString());

    private static BlockTier OpenAt(RedisServer server, string prefix) =>
        new("redis", TestBlocks.Format, RedisStore.ConnectAsync(RecordBytes, Options(server, prefix, 8)).GetAwaiter().GetResult());

    private static RedisStoreOptions Options(RedisServer server, string prefix, int capacity) => new()
    {
        Configuration = server.Configuration,
        CapacityBytes = (long)capacity * RecordBytes,
        KeyPrefix = prefix,

        // What is counted must not hang on how busy the machine is.
        Deadline = TimeSpan.FromSeconds(60),
    };

    // Left alone until the test's clock says otherwise.
    private static RedisStoreOptions Impatient(RedisServer server) =>
        Options(server, "a:", 8) with { Deadline = TimeSpan.FromMilliseconds(300), FaultsToOpen = 2, RetryAfter = TimeSpan.FromMinutes(1) };

    /// <summary>Tries until the server has answered in time, each time after it was left alone for as long as it is.</summary>
    private async Task EventuallyAsync(Func<ValueTask<bool>> call)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (!await call())
        {
            Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(20, deadline.Token);
        }
    }
}
