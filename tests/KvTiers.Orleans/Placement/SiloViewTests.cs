using KvTiers.Orleans.Placement;
using KvTiers.Prefix;

namespace KvTiers.Orleans.Tests.Placement;

public sealed class SiloViewTests
{
    private static readonly string[] Silos = ["one", "two"];
    private static readonly BlockHash[] Chain = BlockSummaryTests.Chain(10, seed: 0);

    private readonly ManualTime _time = new();
    private readonly SiloView _view;

    public SiloViewTests() => _view = new(slack: 10, TimeSpan.FromSeconds(30), _time);

    [Fact]
    public void TheSiloWithTheBlocksIsChosen()
    {
        Report(1, loadOfOne: 3, loadOfTwo: 3);
        _view.Take("one", 1, BlockSummary.Of(Chain[..2], 1024));
        _view.Take("two", 1, BlockSummary.Of(Chain[..7], 1024));
        Assert.Equal((1, 7), _view.Choose(Silos, Chain));
        Assert.Equal((0, 7), _view.Choose(["two", "one"], Chain));
    }

    [Fact]
    public void AChangedSummaryIsAskedForUntilItIsRead()
    {
        Assert.Equal([("one", 1), ("two", 1)], Report(1));
        _view.Take("one", 1, BlockSummary.Of(Chain, 1024));
        Assert.Equal([("two", 1)], Report(2));
        _view.Take("two", 1, null);
        Assert.Empty(Report(3));
        Assert.Equal([("one", 2), ("two", 2)], Report(4, version: 2));
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
    }

    [Fact]
    public void WhatASiloHeldIsNotBelievedForEver()
    {
        Report(1);
        _view.Take("one", 1, BlockSummary.Of(Chain, 1024));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _view.Choose(Silos, Chain).Run);
        Report(2);
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
    }

    [Fact]
    public void AReportThatIsReadTwiceMakesNothingFresh()
    {
        Report(1);
        _view.Take("one", 1, BlockSummary.Of(Chain, 1024));
        _time.Advance(TimeSpan.FromSeconds(31));
        Report(1);
        Assert.Equal(0, _view.Choose(Silos, Chain).Run);
    }

    [Fact]
    public void ASiloThatNeverReportedIsChosenOnlyWhenNoneDid()
    {
        _view.Take(Silos, [new SiloReport(1, 1, 50), null]);
        for (int i = 0; i < 20; i++)
            Assert.Equal(0, _view.Choose(Silos, BlockSummaryTests.Chain(1, seed: i)).Index);

        var nothingKnown = new SiloView(slack: 10, TimeSpan.FromSeconds(30), _time);
        Assert.Equal([0, 1], Enumerable.Range(0, 20).Select(i => nothingKnown.Choose(Silos, BlockSummaryTests.Chain(1, seed: i)).Index).Distinct().Order());
    }

    [Fact]
    public void WhatWasPlacedCountsUntilTheSiloReportsItself()
    {
        var even = new SiloView(slack: 0, TimeSpan.FromSeconds(30), _time);
        even.Take(Silos, [new SiloReport(1, 1, 0), new SiloReport(1, 1, 0)]);
        even.Take("one", 1, BlockSummary.Of(Chain, 1024));
        int[] chosen = [.. Enumerable.Range(0, 10).Select(_ => even.Choose(Silos, Chain).Index)];
        Assert.Equal(5, chosen.Count(index => index == 0));
        even.Take(Silos, [new SiloReport(2, 1, 0), new SiloReport(2, 1, 8)]);
        Assert.All(Enumerable.Range(0, 7), _ => Assert.Equal(0, even.Choose(Silos, Chain).Index));
    }

    [Fact]
    public void EqualBeginningsGoToTheSameSiloBeforeAnythingIsKnown()
    {
        Report(1);
        var other = new SiloView(slack: 10, TimeSpan.FromSeconds(30), _time);
        int here = _view.Choose(Silos, Chain).Index;
        Assert.Equal(here, other.Choose(Silos, Chain[..1]).Index);
        Assert.Equal(1 - here, other.Choose(["two", "one"], Chain).Index);
    }

    private IReadOnlyList<(string Silo, long Version)> Report(long sequence, long version = 1, int loadOfOne = 0, int loadOfTwo = 0) =>
        _view.Take(Silos, [new SiloReport(sequence, version, loadOfOne), new SiloReport(sequence, version, loadOfTwo)]);
}
