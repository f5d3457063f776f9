using KvTiers.Silo.Limits;
using KvTiers.Tests.Support;

namespace KvTiers.Silo.Tests.Limits;

/// <summary>Limits that servers share over a Redis, and what each does alone while that is away.</summary>
public sealed class SharedLimitsTests : IAsyncDisposable
{
    private static readonly Dictionary<string, int> Nothing = [];
    private readonly RedisServer _redis;
    private readonly List<FleetRedis> _connections = [];

    public SharedLimitsTests()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, "redis-server is not installed");
        _redis = new RedisServer();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (FleetRedis connection in _connections) await connection.DisposeAsync();
        _redis?.Dispose();
    }

    [Fact]
    public async Task TwoServersTakeFromOneBucket()
    {
        RedisRates first = (await RatesAsync()).Rates, second = (await RatesAsync()).Rates;
        var rule = new RateRule(4, 0.001);

        for (int i = 0; i < 2; i++)
        {
            Assert.Null(await first.TryTakeAsync("requests:acme", rule, CancellationToken.None));
            Assert.Null(await second.TryTakeAsync("requests:acme", rule, CancellationToken.None));
        }

        TimeSpan? wait = await first.TryTakeAsync("requests:acme", rule, CancellationToken.None);
        Assert.InRange(wait!.Value.TotalSeconds, 900, 1_000);
        Assert.NotNull(await second.TryTakeAsync("requests:acme", rule, CancellationToken.None));
        Assert.Null(await second.TryTakeAsync("requests:zeta", rule, CancellationToken.None));
        Assert.Equal((0L, 3L), (first.StateOf("requests:acme", rule).Remaining, second.StateOf("requests:zeta", rule).Remaining));
    }

    [Fact]
    public async Task WhatOneServerChargesTheOtherOwesToo()
    {
        RedisRates first = (await RatesAsync()).Rates, second = (await RatesAsync()).Rates;
        var rule = new RateRule(600, 0.01);

        first.Charge("tokens:acme", rule, 1_000);
        await Eventually.TrueAsync(() => first.StateOf("tokens:acme", rule).Level < 0);

        Assert.NotNull(await second.TryTakeAsync("tokens:acme", rule, CancellationToken.None));
        Assert.InRange(second.StateOf("tokens:acme", rule).Level, -401, -399);
    }

    [Fact]
    public async Task EachMayHaveWhatTheOthersLeave()
    {
        Fleet first = (await RatesAsync()).Fleet, second = (await RatesAsync()).Fleet;
        await first.TellAsync(new Dictionary<string, int> { ["acme"] = 3, ["zeta"] = 1 });
        await second.TellAsync(new Dictionary<string, int> { ["acme"] = 2 });
        await first.TellAsync(Nothing);

        Assert.Equal((2, 2), (first.Servers, second.Servers));
        Assert.Equal(8, first.PartOf("acme", 10));
        Assert.Equal((7, 9, 10), (second.PartOf("acme", 10), second.PartOf("zeta", 10), second.PartOf("other", 10)));
        Assert.Equal(0, first.PartOf("acme", 1));
        Assert.Equal(int.MaxValue, second.PartOf("acme", int.MaxValue));
    }

    [Fact]
    public async Task WhileRedisIsAwayEachHasItsPart()
    {
        var time = new LimitClock();
        (RedisRates first, Fleet fleet) = await RatesAsync(time);
        (RedisRates second, Fleet other) = await RatesAsync(time);
        await fleet.TellAsync(Nothing);
        await other.TellAsync(Nothing);
        await fleet.TellAsync(Nothing);
        _redis.Kill();
        var rule = new RateRule(4, 0.001);

        for (int i = 0; i < 2; i++) Assert.Null(await first.TryTakeAsync("requests:acme", rule, CancellationToken.None));
        Assert.NotNull(await first.TryTakeAsync("requests:acme", rule, CancellationToken.None));
        Assert.Equal(2, first.StateOf("requests:acme", rule).Limit);
        Assert.Null(await second.TryTakeAsync("requests:acme", rule, CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal((5, 1), (fleet.PartOf("acme", 10), fleet.PartOf("acme", 1)));
    }

    private async Task<(RedisRates Rates, Fleet Fleet)> RatesAsync(TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var connection = new FleetRedis(_redis.Configuration, time, deadline: TimeSpan.FromSeconds(3));
        _connections.Add(connection);
        await connection.ConnectAsync();
        var fleet = new Fleet(connection, "server", time);
        return (new RedisRates(connection, fleet, time), fleet);
    }
}
