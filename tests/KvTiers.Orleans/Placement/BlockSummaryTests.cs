using KvTiers.Blocks;
using KvTiers.Orleans.Placement;
using KvTiers.Prefix;

namespace KvTiers.Orleans.Tests.Placement;

public sealed class BlockSummaryTests
{
    private static readonly BlockHash Root = BlockHash.Root([1, 2, 3], new BlockLayout(1, 1, 4), []);

    [Fact]
    public void ARunEndsWithTheFirstBlockThatIsNotHeld()
    {
        BlockHash[] chain = Chain(8, seed: 0);
        BlockSummary summary = BlockSummary.Of([.. chain[..5], .. Chain(100, seed: 1)], 1024);

        Assert.Equal(5, summary.LeadingRun(chain));
        Assert.Equal(0, summary.LeadingRun(chain.AsSpan(5)));
        Assert.Equal(0, summary.LeadingRun([]));
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(51, 64)]
    [InlineData(52, 128)]
    [InlineData(10_000, 1024)]
    public void ItIsAsLargeAsItsBlocksWantAndNeverLarger(int blocks, int bytes) =>
        Assert.Equal(bytes, BlockSummary.Of(Chain(blocks, seed: 0), 1024).Bits.Length);

    [Fact]
    public void WhatHasNoRoomIsLeftOutFromTheEnd()
    {
        BlockHash[] chain = Chain(2000, seed: 0);
        BlockSummary summary = BlockSummary.Of(chain, 1024);
        Assert.InRange(summary.LeadingRun(chain), BlockSummary.CapacityOf(1024), BlockSummary.CapacityOf(1024) + 20);
    }

    [Fact]
    public void FewBlocksAreClaimedThatAreNotHeld()
    {
        BlockSummary summary = BlockSummary.Of(Chain(52_000, seed: 0), 64 << 10);
        int claimed = Chain(10_000, seed: 1).Count(hash => summary.LeadingRun([hash]) > 0);
        Assert.InRange(claimed, 0, 150);
    }

    [Fact]
    public void ItReadsBackAsItWas()
    {
        BlockHash[] chain = Chain(40, seed: 0);
        BlockSummary summary = BlockSummary.Of(chain, 1024);
        BlockSummary read = BlockSummary.Read(summary.Bits)!;
        Assert.True(read.SameAs(summary));
        Assert.Equal(40, read.LeadingRun(chain));
        Assert.False(read.SameAs(BlockSummary.Of(chain[1..], 1024)));
        Assert.Null(BlockSummary.Read(new byte[63]));
        Assert.Null(BlockSummary.Read(new byte[96]));
    }

    internal static BlockHash[] Chain(int blocks, int seed)
    {
        var chain = new BlockHash[blocks];
        BlockHash hash = Root.Next([seed]);
        for (int i = 0; i < blocks; i++)
            chain[i] = hash = hash.Next([i]);
        return chain;
    }
}
