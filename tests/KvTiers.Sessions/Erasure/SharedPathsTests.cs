using KvTiers.Blocks;
using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Erasure;

namespace KvTiers.Sessions.Tests.Erasure;

public sealed class SharedPathsTests
{
    private static readonly BlockHash Root = BlockHash.Root("model"u8, new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4), []);
    private static readonly int[] Long = [.. Enumerable.Range(0, 14)];

    private static BlockPath Path(params int[] tokens) => new(Root, 4, tokens);

    private static ConversationKey Key(string id) => new("tenant", id);

    [Fact]
    public void ABlockIsKnownAsLongAsOneConversationGoesThroughIt()
    {
        var paths = new SharedPaths();
        paths.Set(Key("a"), Path(Long));
        paths.Set(Key("b"), Path([.. Long[..9], 100, 101, 102]));
        Assert.Equal(3, paths.LeadingBlocks(Path(Long)));
        paths.Set(Key("a"), Path([]));
        Assert.Equal(2, paths.LeadingBlocks(Path(Long)));
        paths.Set(Key("b"), Path(Long[..4]));
        Assert.Equal(1, paths.LeadingBlocks(Path(Long)));
        paths.Set(Key("b"), Path([]));
        Assert.Equal(0, paths.LeadingBlocks(Path(Long)));
    }

    [Fact]
    public void ThePartialLastBlockIsKnownAtEveryLength()
    {
        var paths = new SharedPaths();
        paths.Set(Key("a"), Path(Long[..6]));
        BlockHash first = Root.Next(Long[..4]);
        Assert.True(paths.Contains(first.Next(Long[4..5])));
        Assert.True(paths.Contains(first.Next(Long[4..6])));
        Assert.False(paths.Contains(first.Next(Long[4..7])));
    }

    [Fact]
    public void WhatDoesNotFitIsNotSparedAndComesInWhenThereIsRoom()
    {
        var paths = new SharedPaths(maxBlocks: 3);
        paths.Set(Key("a"), Path(Long[..8]));
        paths.Set(Key("b"), Path([7, .. Long[..7]]));
        Assert.False(paths.Contains(Root.Next([7, 0, 1, 2])));
        paths.Set(Key("a"), Path([]));
        paths.Set(Key("b"), Path([7, .. Long[..7]]));
        Assert.True(paths.Contains(Root.Next([7, 0, 1, 2])));
    }
}
