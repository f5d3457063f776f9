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
            planner.AddPrefill(100, TimeSpan.FromMilliseconds(200));

        Assert.Equal(2e-3, planner.PrefillSecondsPerToken, 1e-4);
    }

    [Fact]
    public void ARateLearnsLatencyAndBandwidthApart()
    {
        var rate = new TransferRate(latencySeconds: 1, bytesPerSecond: 1e6);
        for (int i = 0; i < 60; i++)
        {
            rate.AddLoad(1_000_000, TimeSpan.FromMilliseconds(30));
            rate.AddLoad(5_000_000, TimeSpan.FromMilliseconds(110));
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
        rate.AddLoad(1_000_000, TimeSpan.FromMilliseconds(30));
        Assert.Equal(0.030, rate.SecondsFor(1_000_000), 1e-9);
        rate.AddQuestion(TimeSpan.FromMilliseconds(3));
        Assert.Equal(0.003, rate.QuestionSeconds, 1e-9);
        Assert.Equal(0.030, rate.SecondsFor(1_000_000), 1e-9);
    }

    /// <summary>Side by side 33 blocks took 3.3 ms. That one alone takes 0.4 ms used to say that 33 take 13, and the tier was never chosen again.</summary>
    [Fact]
    public void AShortLoadSaysLittleOfHowLongALongOneTakes()
    {
        var rate = new TransferRate(latencySeconds: 1e-3, bytesPerSecond: 5e8);
        for (int i = 0; i < 10; i++)
            rate.AddLoad(33 * BlockBytes, TimeSpan.FromMilliseconds(3.3));

        for (int i = 0; i < 10; i++)
        {
            rate.AddQuestion(TimeSpan.FromTicks(10));
            rate.AddLoad(BlockBytes, TimeSpan.FromMilliseconds(0.4));
        }

        Assert.Equal(0.0004, rate.SecondsFor(BlockBytes), 0.0001);
        Assert.Equal(0.0033, rate.SecondsFor(33 * BlockBytes), 0.0005);
    }

    /// <summary>After a slow spell a few loads tell that the tier is as fast as before.</summary>
    [Fact]
    public void ASlowSpellIsForgottenAfterAFewLoads()
    {
        var rate = new TransferRate(latencySeconds: 1e-3, bytesPerSecond: 5e8);
        for (int i = 0; i < 5; i++)
            rate.AddLoad(33 * BlockBytes, TimeSpan.FromMilliseconds(40));

        Assert.Equal(0.040, rate.SecondsFor(33 * BlockBytes), 0.001);
        for (int i = 0; i < 5; i++)
            rate.AddLoad(33 * BlockBytes, TimeSpan.FromMilliseconds(2));

        Assert.InRange(rate.SecondsFor(33 * BlockBytes), 0.002, 0.003);
    }

    /// <summary>A load that takes no time at all, or one that was held up, leaves the line a line.</summary>
    [Fact]
    public void NoLoadLeavesARateThatIsNone()
    {
        var rate = new TransferRate(latencySeconds: 1e-3, bytesPerSecond: 5e8);
        rate.AddLoad(BlockBytes, TimeSpan.Zero);
        rate.AddLoad(BlockBytes, TimeSpan.Zero);
        rate.AddLoad(BlockBytes, TimeSpan.FromHours(1));
        rate.AddLoad(33 * BlockBytes, TimeSpan.Zero);
        Assert.True(double.IsFinite(rate.SecondsFor(BlockBytes)) && double.IsFinite(rate.BytesPerSecond) && rate.LatencySeconds >= 0);
        Assert.InRange(rate.TransfersAtOnce(BlockBytes, 4, 64), 4, 64);
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

    /// <summary>
    /// Four blocks came after 200 ms. Half of that used to count as the time of their bytes, so that four at once seemed enough, nothing else was ever
    /// tried, and 64 blocks took sixteen rounds of 200 ms.
    /// </summary>
    [Fact]
    public void ATierThatIsFarIsSoonAskedForManyBlocksAtOnce()
    {
        var rate = new TransferRate(latencySeconds: 1e-4, bytesPerSecond: 2e9);
        var rounds = new List<int>();
        for (int i = 0; i < 4; i++)
        {
            int blocks = rate.TransfersAtOnce(BlockBytes / 4, 4, 64);
            rounds.Add(blocks);
            rate.AddLoad(blocks * BlockBytes / 4, TimeSpan.FromMilliseconds(200 + (0.2 * blocks)));
        }

        Assert.Equal(64, rounds[^1]);
    }

    /// <summary>The question takes 200 ms, the load as much, and each block 1 ms.</summary>
    [Fact]
    public void AskingTakesTheQuestionAndTheLoads() => Assert.Equal(0.426, PromotionPlanner.SecondsToAsk(_redis, 26, 64, BlockBytes), 1e-9);

    /// <summary>
    /// A step takes 0.5 ms whatever its size, and a token 13 µs more. Turns of twenty tokens used to say that a token takes 38, so that loading seemed worth
    /// three times of what it was.
    /// </summary>
    [Fact]
    public void WhatAStepTakesWhateverItsSizeIsNotATokens()
    {
        var planner = new PromotionPlanner();
        planner.AddPrefill(500, TimeSpan.FromMilliseconds(7));
        for (int i = 0; i < 50; i++)
        {
            planner.AddPrefill(20, TimeSpan.FromMilliseconds(0.76));
            planner.AddPrefill(7, TimeSpan.FromMilliseconds(0.591));
        }

        Assert.Equal(13e-6, planner.PrefillSecondsPerToken, 3e-6);
    }

    private int Choose(double prefillSecondsPerToken, params TierRun[] runs) =>
        new PromotionPlanner(prefillSecondsPerToken).BlocksToLoad(runs, [_ram, _redis], [], BlockBytes, BlockTokens);
}
