using KvTiers.Blocks;

namespace KvTiers.Tests.Blocks;

public sealed class BlockTableTests
{
    [Fact]
    public void ATableGrowsAtTheEndAndIsCutFromTheEnd()
    {
        BlockTable table = new();
        for (int i = 0; i < 20; i++) table.Append(100 + i, 4096 * i);
        table.Truncate(18);
        table.Append(7, 64);
        Assert.Equal(19, table.Count);
        Assert.Equal([116, 117, 7], table.Slots[16..].ToArray());
        Assert.Equal([4096 * 16, 4096 * 17, 64], table.Addresses[16..].ToArray());
    }

    [Fact]
    public void ATableIsNotCutBeyondItsEnds()
    {
        BlockTable table = new();
        table.Append(0, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Truncate(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Truncate(-1));
    }
}
