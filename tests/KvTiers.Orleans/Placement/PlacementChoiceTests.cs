using KvTiers.Orleans.Placement;

namespace KvTiers.Orleans.Tests.Placement;

public sealed class PlacementChoiceTests
{
    [Fact]
    public void TheLongestRunIsChosen() => Assert.Equal(1, Choose(0.25, new(3, 5, 9), new(4, 5, 1), new(0, 5, 20)));

    [Fact]
    public void OfEqualRunsTheRankDecides() => Assert.Equal(2, Choose(0.25, new(4, 5, 1), new(4, 5, 2), new(4, 5, 3)));

    [Fact]
    public void AFullSiloIsPassedOver()
    {
        // 13 with the new one over 2 silos, a quarter more: 8.125, so 9 at most.
        Assert.Equal(0, Choose(0.25, new(100, 8, 0), new(0, 4, 0)));
        Assert.Equal(1, Choose(0.25, new(100, 9, 0), new(0, 3, 0)));
    }

    [Fact]
    public void WithoutSlackLoadsStayEqual()
    {
        int[] loads = [0, 0, 0];
        for (int i = 0; i < 30; i++)
            loads[Choose(0, [.. loads.Select((load, silo) => new SiloStanding(silo == 0 ? 50 : 0, load, (ulong)silo))])]++;
        Assert.Equal([10, 10, 10], loads);
    }

    [Fact]
    public void TheOnlySiloIsChosenHoweverLoaded() => Assert.Equal(0, Choose(0, new SiloStanding(0, 1000, 0)));

    private static int Choose(double slack, params SiloStanding[] silos) => PlacementChoice.Choose(silos, slack);
}
