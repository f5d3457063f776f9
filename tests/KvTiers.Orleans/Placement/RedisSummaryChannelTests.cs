using KvTiers.Orleans.Placement;
using KvTiers.Prefix;

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

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0x94, 2, 1, 1, 1 })]
    [InlineData(new byte[] { 0x94, 1, 1 })]
    [InlineData(new byte[] { 0xC1 })]
    public void WhatCannotBeReadIsNoReport(byte[] bytes) => Assert.Null(RedisSummaryChannel.DecodeReport(bytes));

    [Fact]
    public void AReportMayGrow() => Assert.Equal(new SiloReport(1, 2, 3), RedisSummaryChannel.DecodeReport([0x95, 1, 1, 2, 3, 4]));

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        _redis.Dispose();
    }
}
