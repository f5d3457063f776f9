using KvTiers.Silo.Http;
using KvTiers.Silo.Limits;

namespace KvTiers.Silo.Tests.Limits;

public sealed class RateBucketTests
{
    private readonly LimitClock _time = new();

    [Fact]
    public void WhatIsTakenComesBackAtTheRate()
    {
        var bucket = new RateBucket(new RateRule(2, 0.5), _time);

        Assert.True(bucket.TryTake(1, out _));
        Assert.True(bucket.TryTake(1, out _));
        Assert.False(bucket.TryTake(1, out TimeSpan retryAfter));
        Assert.Equal(TimeSpan.FromSeconds(2), retryAfter);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(bucket.TryTake(1, out retryAfter));
        Assert.Equal(0.1, retryAfter.TotalSeconds, 1e-6);
        _time.Advance(retryAfter);
        Assert.True(bucket.TryTake(1, out _));
    }

    [Fact]
    public void WhatIsOwedFillsUpFirst()
    {
        var bucket = new RateBucket(new RateRule(60, 1), _time);

        bucket.Charge(100);

        Assert.Equal((-40, 0L), (bucket.State.Level, bucket.State.Remaining));
        Assert.Equal((TimeSpan.FromSeconds(41), TimeSpan.FromSeconds(100)), (bucket.State.OneIn, bucket.State.FullIn));
        _time.Advance(TimeSpan.FromSeconds(1_000));
        Assert.Equal(60, bucket.State.Level);
    }

    [Fact]
    public void ARuleThatChangesMakesTheBucketAnew()
    {
        var buckets = new RateBuckets(_time);
        buckets.Of("a", new RateRule(10, 1)).Charge(10);

        Assert.Equal(0, buckets.Of("a", new RateRule(10, 1)).State.Level);
        Assert.Equal(10, buckets.Of("b", new RateRule(10, 1)).State.Level);
        Assert.Equal(20, buckets.Of("a", new RateRule(20, 1)).State.Level);
    }

    [Fact]
    public void RulesAreThoseOfTheFile()
    {
        Assert.Equal(new RateRule(1, 0.5), RateRule.Requests(0.5));
        Assert.Equal(new RateRule(20, 20), RateRule.Requests(20));
        Assert.Equal(new RateRule(600, 10), RateRule.Tokens(600));
        Assert.Equal(new RateRule(200, 10.0 / 3), new RateRule(600, 10).Share(3));
        Assert.Null(RateRule.Tokens(null));
    }

    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(0.0201, "21ms")]
    [InlineData(1.5, "1.5s")]
    [InlineData(59.9999, "60s")]
    [InlineData(360, "6m0s")]
    [InlineData(3_661.25, "61m1.25s")]
    public void TimesAreWrittenAsOpenAiWritesThem(double seconds, string text) => Assert.Equal(text, RateMiddleware.Duration(TimeSpan.FromSeconds(seconds)));
}
