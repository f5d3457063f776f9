using KvTiers.Blocks;

namespace KvTiers.Tests.Blocks;

public sealed class BlockShapeTests
{
    [Theory]
    [InlineData(1, 64)]
    [InlineData(64, 64)]
    [InlineData(65, 128)]
    [InlineData(int.MaxValue - 64, int.MaxValue - 63)]
    public void BlocksArePaddedToTheAlignment(int bytes, int padded) => Assert.Equal(padded, new BlockShape(bytes, 16, "form"u8).BytesPerBlock);

    [Theory]
    [InlineData(0, 16)]
    [InlineData(-1, 16)]
    [InlineData(int.MaxValue - 63, 16)]
    [InlineData(64, 0)]
    [InlineData(64, 257)]
    public void NumbersOutOfRangeAreRefused(int bytes, int blockSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockShape(bytes, blockSize, "form"u8));

    [Fact]
    public void ShapesAreEqualWhenLengthTokensAndFingerprintAre()
    {
        var shape = new BlockShape(64, 16, "form"u8);
        Assert.Equal(new BlockShape(64, 16, "form"u8), shape);
        Assert.Equal(new BlockShape(64, 16, "form"u8).GetHashCode(), shape.GetHashCode());
        Assert.NotEqual(new BlockShape(64, 16, "another form"u8), shape);
        Assert.NotEqual(new BlockShape(63, 16, "form"u8), shape);
        Assert.NotEqual(new BlockShape(64, 8, "form"u8), shape);
    }

    [Fact]
    public void ALayoutIsAShapeOfItsOwn()
    {
        BlockShape layout = new BlockLayout(2, 3, 8);
        Assert.Equal(new BlockLayout(2, 3, 8), layout);
        Assert.NotEqual(new BlockLayout(3, 2, 8), layout);
        Assert.NotEqual(new BlockShape(layout.BytesPerBlock, layout.BlockSize, layout.Description), layout);
    }
}
