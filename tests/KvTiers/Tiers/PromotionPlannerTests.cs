using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

public sealed class PromotionPlannerTests
{
    private const long BlockBytes = 1_000_000;
    private const int BlockTokens = 16;

    private readonly TransferRate _ram = new(latencySeconds: 0, bytesPerSecond: 1e10);
    private readonly TransferRate _redis = new(latencySeconds: 0.2, bytesPerSecond: 1e9);

    [Fact]
    public void AFastTierIsAlwaysLoaded() => Assert.Equal(5, Choose(prefillSecondsPerToken: 1e-3, new TierRun(0, 5)));

    /// <summary>16 ms of computing a block against 200 ms and 1 ms a block: fourteen blocks tip the scale.</summary>
    [Theory]
    [InlineData(13, 0)]
    [InlineData(14, 14)]
    public void ASlowStartPaysOnlyForEnoughBlocks(int blocks, int expected) =>
        Assert.Equal(expected, Choose(prefillSecondsPerToken: 1e-3, new TierRun(1, blocks)));

    [Fact]
    public void WhatIsNearIsLoadedAndWhatIsFarIsRecomputed() =>
        Assert.Equal(5, Choose(prefillSecondsPerToken: 1e-3, new TierRun(0, 5), new TierRun(1, 3)));

    [Fact]
    public void ACheapRunBehindADearOneCanCarryIt() =>
        Assert.Equal(43, Choose(prefillSecondsPerToken: 1e-3, new TierRun(1, 3), new TierRun(0, 40)));

    [Fact]
    public void NothingHeldIsNothingLoaded() => Assert.Equal(0, Choose(prefillSecondsPerToken: 1e-3));

    [Fact]
    public void MeasurementsReplaceTheFirstGuess()
    {
        var planner = new PromotionPlanner(prefillSecondsPerToken: 1);
        for (int i = 0; i < 100; i++)
        {
            planner.AddPrefill(100, TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(2e-3, planner.PrefillSecondsPerToken, 1e-4);
    }

    [Fact]
    public void ARateLearnsLatencyAndBandwidthApart()
    {
        var rate = new TransferRate(latencySeconds: 1, bytesPerSecond: 1e6);
        for (int i = 0; i < 60; i++)
        {
            rate.AddRoundTrip(TimeSpan.FromMilliseconds(10));
            rate.AddTransfer(1_000_000, TimeSpan.FromMilliseconds(30));
        }

        Assert.Equal(0.010, rate.LatencySeconds, 1e-3);
        Assert.Equal(50e6, rate.BytesPerSecond, 2e6);
        Assert.Equal(0.110, rate.SecondsFor(5_000_000), 5e-3);
    }

    [Fact]
    public void TheFirstMeasurementReplacesTheGuess()
    {
        var planner = new PromotionPlanner(prefillSecondsPerToken: 1);
        planner.AddPrefill(100, TimeSpan.FromMilliseconds(200));
        Assert.Equal(2e-3, planner.PrefillSecondsPerToken, 1e-9);

        var rate = new TransferRate(latencySeconds: 5, bytesPerSecond: 1);
        rate.AddRoundTrip(TimeSpan.FromMilliseconds(10));
        rate.AddTransfer(1_000_000, TimeSpan.FromMilliseconds(30));
        Assert.Equal(0.010, rate.LatencySeconds, 1e-9);
        Assert.Equal(50e6, rate.BytesPerSecond, 1);
    }

    /// <summary>Of 201 ms, 200 were the way: the bytes took no more than a twentieth, however slow they were said to be, and perhaps less.</summary>
    [Fact]
    public void AShortTransferOverALongWayOnlyBoundsTheTimeOfItsBytes()
    {
        var rate = new TransferRate(latencySeconds: 0.2, bytesPerSecond: 1e3);
        rate.AddTransfer(1_000_000, TimeSpan.FromMilliseconds(201));
        Assert.Equal(1_000_000 / 0.01005, rate.BytesPerSecond, 1);
        rate.AddTransfer(10, TimeSpan.FromMilliseconds(201));
        Assert.Equal(1_000_000 / 0.01005, rate.BytesPerSecond, 1);
    }

    /// <summary>200 ms of way are 200 blocks of 1 ms each.</summary>
    [Theory]
    [InlineData(4, 64, 64)]
    [InlineData(4, 1_000, 200)]
    [InlineData(300, 1_000, 300)]
    public void MoreBlocksAreUnderWayTheLongerTheWay(int atLeast, int atMost, int expected) =>
        Assert.Equal(expected, _redis.TransfersAtOnce(BlockBytes, atLeast, atMost));

    /// <summary>40 blocks in rounds of ten are 800 ms of way and 40 of bytes, against 640 ms of computing.</summary>
    [Theory]
    [InlineData(10, 0)]
    [InlineData(20, 40)]
    public void EveryRoundCostsTheWayAgain(int blocksAtOnce, int expected) => Assert.Equal(
        expected, new PromotionPlanner(1e-3).BlocksToLoad([new TierRun(1, 40)], [_ram, _redis], [4, blocksAtOnce], BlockBytes, BlockTokens));

    /// <summary>The question and the first block take 400 ms, a block 1 ms, and computing one 16: 27 blocks tip the scale.</summary>
    [Theory]
    [InlineData(26, false)]
    [InlineData(27, true)]
    public void ATierThatIsFarIsAskedOnlyForEnoughBlocks(int blocks, bool expected) =>
        Assert.Equal(expected, new PromotionPlanner(1e-3).IsWorthAsking(_redis, blocks, 64, BlockBytes, BlockTokens));

    private int Choose(double prefillSecondsPerToken, params TierRun[] runs) =>
        new PromotionPlanner(prefillSecondsPerToken).BlocksToLoad(runs, [_ram, _redis], [], BlockBytes, BlockTokens);
}
