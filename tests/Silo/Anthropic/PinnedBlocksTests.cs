using KvTiers.Prefix;
using KvTiers.Silo.Anthropic;

namespace KvTiers.Silo.Tests.Anthropic;

public sealed class PinnedBlocksTests
{
    private static readonly BlockHash Root = BlockHash.Root("model"u8, new KvTiers.Blocks.BlockShape(4, 64, "test"u8), default);

    [Fact]
    public void ABlockCountsOnceHoweverManyPrefixesItIsIn()
    {
        var blocks = new PinnedBlocks();
        BlockHash[] path = Path(1, 2, 3);
        BlockHash[] fork = [path[0], .. Path(1, 9)[1..]];
        Assert.Equal(3, blocks.CountNew(path));
        blocks.Add(Root, path);
        Assert.Equal(0, blocks.CountNew(path.AsSpan(0, 2)));
        blocks.Add(Root, path.AsSpan(0, 2));
        Assert.Equal(1, blocks.CountNew(fork));
        blocks.Add(Root, fork);
        Assert.Equal(4, blocks.Count);

        blocks.Remove(Root, path[2]);
        Assert.Equal(3, blocks.Count);
        blocks.Remove(Root, path[1]);
        Assert.Equal(2, blocks.CountOf(Root));
        blocks.Remove(Root, fork[1]);
        Assert.Equal(0, blocks.Count);
        Assert.Equal(0, blocks.CountOf(Root));
    }

    [Fact]
    public void RandomPrefixesAreCountedAsASetCountsThem()
    {
        var random = new Random(5);
        var blocks = new PinnedBlocks();
        List<BlockHash[]> standing = [];
        for (int step = 0; step < 2000; step++)
        {
            if (standing.Count > 0 && random.Next(2) == 0)
            {
                int index = random.Next(standing.Count);
                blocks.Remove(Root, standing[index][^1]);
                standing.RemoveAt(index);
            }
            else
            {
                BlockHash[] path = Path([.. Enumerable.Range(0, 1 + random.Next(5)).Select(_ => random.Next(2))]);
                HashSet<BlockHash> known = [.. standing.SelectMany(other => other)];
                Assert.Equal(path.Count(hash => !known.Contains(hash)), blocks.CountNew(path));
                blocks.Add(Root, path);
                standing.Add(path);
            }

            Assert.Equal(standing.SelectMany(path => path).Distinct().Count(), blocks.Count);
        }
    }

    private static BlockHash[] Path(params int[] tokens) => new BlockPath(Root, 1, tokens).Hashes(0, tokens.Length).ToArray();
}
