using KvTiers.Blocks;

namespace KvTiers.Tests.Blocks;

public sealed class BlockLayoutTests
{
    [Fact]
    public void OffsetsAreLayerMajorThenHeadMajorThenKeysBeforeValues()
    {
        BlockLayout layout = new(Layers: 2, KvHeads: 3, HeadDim: 8, KvFormat.BF16, BlockSize: 16);
        const int HeadBytes = 8 * 16 * 2;
        Assert.Equal(0, layout.KeyOffset(0, 0));
        Assert.Equal(HeadBytes, layout.ValueOffset(0, 0));
        Assert.Equal(2 * HeadBytes, layout.KeyOffset(0, 1));
        Assert.Equal(6 * HeadBytes, layout.KeyOffset(1, 0));
        Assert.Equal(11 * HeadBytes, layout.ValueOffset(1, 2));
        Assert.Equal(12 * HeadBytes, layout.BytesPerBlock);
        Assert.Equal(2 * 3 * 8 * 2 * 2, layout.BytesPerToken);
    }

    [Fact]
    public void BlocksArePaddedToTheAlignment()
    {
        Assert.Equal(64, new BlockLayout(1, 1, 1, KvFormat.BF16, BlockSize: 1).BytesPerBlock);
        Assert.Equal(128, new BlockLayout(1, 1, 3, KvFormat.F32, BlockSize: 4).BytesPerBlock);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(16, 1)]
    [InlineData(17, 2)]
    public void TokensFillBlocksFromTheStart(int tokens, int blocks) => Assert.Equal(blocks, new BlockLayout(1, 1, 8).BlocksFor(tokens));

    [Theory]
    [InlineData(0, 1, 1, 16)]
    [InlineData(1, 0, 1, 16)]
    [InlineData(1, 1, -1, 16)]
    [InlineData(1, 1, 1, 0)]
    [InlineData(1, 1, 1, 257)]
    [InlineData(1 << 20, 64, 128, 16)]
    public void NumbersOutOfRangeAreRefused(int layers, int kvHeads, int headDim, int blockSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockLayout(layers, kvHeads, headDim, KvFormat.F32, blockSize));

    [Fact]
    public void AnUnknownFormatIsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new BlockLayout(1, 1, 1, (KvFormat)2));

    [Fact]
    public void ThereIsNoOffsetOutsideTheLayout()
    {
        BlockLayout layout = new(2, 3, 8);
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.KeyOffset(2, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.ValueOffset(0, 3));
    }
}
