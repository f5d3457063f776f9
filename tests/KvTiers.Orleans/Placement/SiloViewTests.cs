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
        Report("one", load: 3, blocks: 2);
        Report("two", load: 3, blocks: 7);
        Assert.Equal((1, 7), _view.Choose(Silos, Chain));
        Assert.Equal((0, 7), _view.Choose(["two", "one"], Chain));
    }

    [Fact]
    public void WhatIsKnownOfASilosBlocksIsNotSaidAgainAndStays()
    {
        Assert.Equal(0, _view.VersionOf("one"));
        Report("one", version: 5, blocks: 10);
        Assert.Equal(5, _view.VersionOf("one"));
        Report("one", version: 5);
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
        Report("one", version: 6, blocks: 3);
        Assert.Equal((6, 3), (_view.VersionOf("one"), _view.Choose(Silos, Chain).Run));
    }

    /// <summary>A silo of another build may have another form of them.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(65)]
    public void BlocksThatCannotBeReadAreNone(int bytes)
    {
        Report("one", blocks: 10);
        _view.Take("one", new() { Version = 2, Load = 0, Blocks = new byte[bytes] });
        Assert.Equal((2, 0), (_view.VersionOf("one"), _view.Choose(Silos, Chain).Run));
    }

    [Fact]
    public void WhatASiloHeldIsNotBelievedForEver()
    {
        Report("one", blocks: 10);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _view.Choose(Silos, Chain).Run);
        Report("one");
        Assert.Equal((0, 10), _view.Choose(Silos, Chain));
    }

    [Fact]
    public void ASiloThatIsGoneIsForgotten()
    {
        Report("one", blocks: 10);
        _view.Retain(["two"]);
        Assert.Equal(0, _view.VersionOf("one"));
    }

    [Fact]
    public void ASiloThatNeverReportedIsChosenOnlyWhenNoneDid()
    {
        Report("one", load: 50);
        for (int i = 0; i < 20; i++)
            Assert.Equal(0, _view.Choose(Silos, BlockSummaryTests.Chain(1, seed: i)).Index);

        var nothingKnown = new SiloView(slack: 10, TimeSpan.FromSeconds(30), _time);
        Assert.Equal([0, 1], Enumerable.Range(0, 20).Select(i => nothingKnown.Choose(Silos, BlockSummaryTests.Chain(1, seed: i)).Index).Distinct().Order());
    }

    [Fact]
    public void WhatWasPlacedCountsUntilTheSiloReportsItself()
    {
        var even = new SiloView(slack: 0, TimeSpan.FromSeconds(30), _time);
        even.Take("one", new() { Version = 1, Load = 0, Blocks = BitsOf(10) });
        even.Take("two", new() { Version = 1, Load = 0 });
        int[] chosen = [.. Enumerable.Range(0, 10).Select(_ => even.Choose(Silos, Chain).Index)];
        Assert.Equal(5, chosen.Count(index => index == 0));
        even.Take("one", new() { Version = 1, Load = 0 });
        even.Take("two", new() { Version = 1, Load = 8 });
        Assert.All(Enumerable.Range(0, 7), _ => Assert.Equal(0, even.Choose(Silos, Chain).Index));
    }

    [Fact]
    public void EqualBeginningsGoToTheSameSiloBeforeAnythingIsKnown()
    {
        Report("one");
        Report("two");
        var other = new SiloView(slack: 10, TimeSpan.FromSeconds(30), _time);
        int here = _view.Choose(Silos, Chain).Index;
        Assert.Equal(here, other.Choose(Silos, Chain[..1]).Index);
        Assert.Equal(1 - here, other.Choose(["two", "one"], Chain).Index);
    }

    private static byte[] BitsOf(int blocks) => BlockSummary.Of(Chain[..blocks], 1024).Bits.ToArray();

    // Without blocks: they are those of the version before.
    private void Report(string silo, long version = 1, int load = 0, int? blocks = null) =>
        _view.Take(silo, new() { Version = version, Load = load, Blocks = blocks is { } count ? BitsOf(count) : null });
}
