using System.Security.Cryptography;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tests.Prefix;

public sealed class BlockHashTests
{
    private static readonly BlockLayout Layout = new(Layers: 2, KvHeads: 3, HeadDim: 8, KvFormat.BF16, BlockSize: 4);

    [Fact]
    public void TheRootIsTheDigestOfTheDocumentedBytes()
    {
        // docs/block-format.md: version, fingerprint, layout, salt; numbers as little-endian int32, lengths before what varies.
        byte[] message =
        [
            1, 0, 0, 0,
            3, 0, 0, 0, (byte)'a', (byte)'b', (byte)'c',
            2, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0,
            2, 0, 0, 0, 9, 8,
        ];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(message)), BlockHash.Root("abc"u8, Layout, [9, 8]).ToString());
        byte[] lossy = [.. message, 2, 0, 0, 0, 1, 0, 0, 0, 3, 4, 0, 0]; // bf16, and int8 with a scale for 4 tokens
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(lossy)), BlockHash.LossyRoot("abc"u8, Layout, [9, 8], [1, 1027]).ToString());
    }

    [Fact]
    public void ABlockIsTheDigestOfItsParentAndItsTokens()
    {
        BlockHash parent = BlockHash.Parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        byte[] message = [.. Enumerable.Range(0, 32).Select(i => (byte)i), 1, 0, 0, 0, 0, 1, 0, 0, 255, 255, 255, 255];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(message)), parent.Next([1, 256, -1]).ToString());
    }

    [Fact]
    public void HashesAreTheSameAlways()
    {
        // Written down once, from another implementation of SHA-256.
        BlockHash root = BlockHash.Root("model"u8, new BlockLayout(1, 1, 8), "tenant"u8);
        Assert.Equal("56c464c512395020faa2210d3a89f57697252f8b2019aedec286936686c67878", root.ToString());
        Assert.Equal("1e64f273421ef314a81ab43c7e96646211d738f592e18eea2ea8d10081f848e3", root.Next([1, 2, 3]).ToString());
    }

    [Fact]
    public void AnythingThatDiffersGivesAnotherRoot()
    {
        BlockHash[] roots =
        [
            BlockHash.Root("abc"u8, Layout, []),
            BlockHash.Root("abd"u8, Layout, []),
            BlockHash.Root("ab"u8, Layout, "c"u8),
            BlockHash.Root("abc"u8, Layout, "d"u8),
            BlockHash.Root("abc"u8, new BlockLayout(3, 2, 8, KvFormat.BF16, 4), []),
            BlockHash.Root("abc"u8, new BlockLayout(2, 3, 4, KvFormat.BF16, 8), []),
            BlockHash.Root("abc"u8, new BlockLayout(2, 3, 8, KvFormat.F32, 4), []),
            BlockHash.LossyRoot("abc"u8, Layout, [], [1]),
            BlockHash.LossyRoot("abc"u8, Layout, [], [3]),
            BlockHash.LossyRoot("abc"u8, Layout, [], [1, 3]),
            BlockHash.Root("abc"u8, Layout, [1, 0, 0, 0, 3, 0, 0, 0]),
        ];
        Assert.Equal(roots.Length, roots.Distinct().Count());
    }

    [Fact]
    public void LongBlocksHashAsShortOnesDo()
    {
        int[] tokens = [.. Enumerable.Range(0, 1000)];
        BlockHash parent = BlockHash.Root([], Layout, []);
        byte[] message = new byte[32 + 4000];
        parent.CopyTo(message);
        Buffer.BlockCopy(tokens, 0, message, 32, 4000);
        Assert.Equal(new BlockHash(SHA256.HashData(message)), parent.Next(tokens));
    }

    [Fact]
    public void HashesOrderAsTheirBytesDo()
    {
        BlockHash low = BlockHash.Parse("00ff" + new string('0', 60));
        BlockHash high = BlockHash.Parse("0100" + new string('0', 60));
        Assert.True(low < high);
        Assert.True(high > low);
        Assert.True(low <= high && high >= low && low != high);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")]
    public void WhatIsNotAHashIsNotRead(string text)
    {
        Assert.False(BlockHash.TryParse(text, out _));
        Assert.Throws<FormatException>(() => BlockHash.Parse(text));
    }

    [Fact]
    public void BytesOfAnotherLengthAreRefused() => Assert.Throws<ArgumentException>(() => new BlockHash(new byte[31]));

    [Fact]
    public void HashingAllocatesNothing()
    {
        int[] tokens = new int[16];
        BlockHash hash = BlockHash.Root([], Layout, []);
        hash = hash.Next(tokens);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) hash = hash.Next(tokens);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
