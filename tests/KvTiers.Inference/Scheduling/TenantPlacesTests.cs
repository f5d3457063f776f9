using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

public sealed class TenantPlacesTests
{
    private readonly StepClock _time = new();

    [Fact]
    public void OneThatTakesAllItCanLeavesAThirdForTheNext()
    {
        var places = new TenantPlaces(12, _time);

        Assert.Equal(8, TakeAll(places, "flood", 1));
        Assert.True(places.TryTake("other", 1, 2, out _));
        Assert.False(places.TryTake("other", 1, 1, out _));
        Assert.False(places.TryTake("flood", 1, 1, out _));
        Assert.True(places.TryTake("third", 1, 1, out _));
        Assert.Equal(11, places.Taken);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(256, 170)]
    public void TheMostThatOneCanHaveIsWhatItGetsAlone(int capacity, int most)
    {
        var places = new TenantPlaces(capacity, _time);

        Assert.Equal(most, places.MostFor(1));
        Assert.Equal(most, TakeAll(places, "a", 1));
        places.Give("a", most);
        Assert.False(places.TryTake("a", 1, most + 1, out _));
        Assert.True(places.TryTake("a", 1, most, out _));
    }

    [Fact]
    public void WhoSharesWithNobodyMayHaveAll()
    {
        var places = new TenantPlaces(12, _time);

        Assert.Equal(12, places.MostFor(double.PositiveInfinity));
        Assert.Equal(12, TakeAll(places, "alone", double.PositiveInfinity));
    }

    [Fact]
    public void TenantsThatAllWantMoreGetPlacesByTheirWeights()
    {
        var places = new TenantPlaces(150, _time);
        TakeAll(places, "light", 1);

        // As work ends, each asks for more than it gave.
        for (int round = 0; round < 150; round++)
        {
            foreach ((string tenant, double weight) in new[] { ("light", 1.0), ("heavy", 3.0) })
            {
                if (places.HeldBy(tenant) > 0) places.Give(tenant, 1);
                for (int i = 0; i < 3; i++) places.TryTake(tenant, weight, 1, out _);
            }
        }

        Assert.InRange((double)places.HeldBy("heavy") / places.HeldBy("light"), 2.8, 3.2);
        Assert.InRange(150 - places.Taken, 16, 17);
    }

    [Fact]
    public void AllOrNoneAreTaken()
    {
        var places = new TenantPlaces(12, _time);
        places.TryTake("a", 1, 6, out _);

        Assert.False(places.TryTake("a", 1, 3, out _));
        Assert.Equal(6, places.HeldBy("a"));
        Assert.True(places.TryTake("a", 1, 2, out _));
    }

    [Fact]
    public void TheWaitIsWhatItTookOfLate()
    {
        var places = new TenantPlaces(12, _time);
        TakeAll(places, "a", 1);
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            places.Give("a", 1);
            Assert.True(places.TryTake("a", 1, 1, out _));
        }

        Assert.False(places.TryTake("a", 1, 1, out TimeSpan one));
        Assert.False(places.TryTake("a", 1, 4, out TimeSpan four));
        Assert.InRange(one.TotalSeconds, 2.7, 3.1);
        Assert.Equal(4 * one.TotalSeconds, four.TotalSeconds, 0.01);
    }

    [Fact]
    public void WhereNothingWasGivenBackTheWaitIsAsLongAsItWasHeld()
    {
        var places = new TenantPlaces(3, _time);
        places.TryTake("a", 1, 2, out _);
        Assert.False(places.TryTake("a", 1, 1, out TimeSpan atOnce));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(places.TryTake("a", 1, 1, out TimeSpan later));

        Assert.Equal(TimeSpan.FromSeconds(1), atOnce);
        Assert.InRange(later.TotalSeconds, 4, 6);
    }

    [Fact]
    public void MoreThanAreHeldCannotBeGivenBack()
    {
        var places = new TenantPlaces(3, _time);
        places.TryTake("a", 1, 1, out _);

        Assert.Throws<ArgumentException>(() => places.Give("a", 2));
        Assert.Throws<ArgumentException>(() => places.Give("b", 1));
    }

    // Against the rule written out, with random operations.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhatIsTakenIsWhatTheRuleSays(int seed)
    {
        var random = new Random(seed);
        var places = new TenantPlaces(40, _time);
        double[] weights = [0.5, 1, 4, double.PositiveInfinity];
        int[] held = new int[weights.Length];
        int taken = 0, refused = 0;
        for (int i = 0; i < 2_000; i++)
        {
            int who = random.Next(weights.Length);
            string name = $"tenant {who}";
            int count = random.Next(1, 8);
            if (random.Next(3) == 0 && held[who] > 0)
            {
                count = Math.Min(count, held[who]);
                places.Give(name, count);
                held[who] -= count;
                continue;
            }

            int free = 40 - held.Sum();
            bool fits = count <= free && ((held[who] == 0 && count == 1) || held[who] + count <= 2 * weights[who] * (free - count) || double.IsPositiveInfinity(weights[who]));
            Assert.Equal(fits, places.TryTake(name, weights[who], count, out TimeSpan retryAfter));
            Assert.Equal(fits, retryAfter == TimeSpan.Zero);
            if (fits) held[who] += count;
            taken += fits ? 1 : 0;
            refused += fits ? 0 : 1;
            Assert.Equal(held.Sum(), places.Taken);
            Assert.Equal(held[who], places.HeldBy(name));
        }

        Assert.True(taken > 300 && refused > 300, $"seed {seed}: {taken} taken, {refused} refused");
    }

    private static int TakeAll(TenantPlaces places, string tenant, double weight)
    {
        int count = 0;
        while (places.TryTake(tenant, weight, 1, out _))
            count++;
        return count;
    }
}
