using KvTiers.Orleans.Placement;
using KvTiers.Prefix;
using StackExchange.Redis;

namespace KvTiers.Orleans.Tests.Placement;

public sealed class RedisSummaryChannelTests : IAsyncDisposable
{
    private readonly RedisServer _redis = new();
    private readonly RedisSummaryChannel _channel;

    public RedisSummaryChannelTests()
    {
        Assert.SkipWhen(!RedisServer.IsAvailable, RedisServer.Reason);
        _channel = new(_redis.Configuration, "tests");
    }

    [Fact]
    public async Task WhatASiloToldIsReadByTheOthers()
    {
        BlockHash[] chain = BlockSummaryTests.Chain(6, seed: 0);
        await _channel.PublishAsync("one", new(7, 3, 42), BlockSummary.Of(chain, 1024), TimeSpan.FromMinutes(1));
        await using var other = new RedisSummaryChannel(_redis.Configuration, "tests");

        Assert.Equal([new SiloReport(7, 3, 42), null], await other.ReadReportsAsync(["one", "two"]));
        Assert.Equal(6, (await other.ReadSummaryAsync("one"))!.LeadingRun(chain));
        Assert.Null(await other.ReadSummaryAsync("two"));

        await _channel.PublishAsync("one", new(8, 3, 43), null, TimeSpan.FromMinutes(1));
        Assert.Equal([new SiloReport(8, 3, 43)], await other.ReadReportsAsync(["one"]));
        Assert.Equal(6, (await other.ReadSummaryAsync("one"))!.LeadingRun(chain));
    }

    [Fact]
    public async Task WhatASiloTellsHasTheBytesItAlwaysHad()
    {
        await _channel.PublishAsync("one", new(7, 300, 42), BlockSummary.Read([.. Enumerable.Range(0, 64).Select(i => (byte)i)]), TimeSpan.FromMinutes(1));
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_redis.Configuration);
        Assert.Equal([0x94, 1, 7, 0xCD, 0x01, 0x2C, 42], (byte[]?)await connection.GetDatabase().HashGetAsync("kvo:1:tests:one", "r"));
        Assert.Equal(
            [0x92, 1, 0xC4, 64, .. Enumerable.Range(0, 64).Select(i => (byte)i)],
            (byte[]?)await connection.GetDatabase().HashGetAsync("kvo:1:tests:one", "b"));
    }

    [Fact]
    public async Task AnotherClusterReadsNothingOfIt()
    {
        await _channel.PublishAsync("one", new(7, 3, 42), null, TimeSpan.FromMinutes(1));
        await using var other = new RedisSummaryChannel(_redis.Configuration, "others");
        Assert.Equal([null], await other.ReadReportsAsync(["one"]));
    }

    [Fact]
    public async Task ARedisThatIsAwayIsAFaultOfTheCall()
    {
        await _channel.ReadReportsAsync(["one"]);
        _redis.Kill();
        await Assert.ThrowsAsync<IOException>(() => _channel.ReadReportsAsync(["one"]));
        _redis.Start();
        while (true)
        {
            try
            {
                await _channel.PublishAsync("one", new(7, 3, 42), null, TimeSpan.FromMinutes(1));
                break;
            }
            catch (IOException)
            {
                // It connects anew by itself.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        _redis.Dispose();
    }
}
