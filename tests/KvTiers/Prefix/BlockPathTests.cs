using KvTiers.Prefix;

namespace KvTiers.Tests.Prefix;

public sealed class BlockPathTests
{
    private const int BlockSize = 4;

    private static BlockHash Root => FakeSequence.Root;

    [Fact]
    public void EveryHashIsItsParentsWithTheBlocksTokens()
    {
        int[] tokens = [.. Enumerable.Range(0, 10)];
        var path = new BlockPath(Root, BlockSize, tokens);
        BlockHash first = Root.Next(tokens[..4]), second = first.Next(tokens[4..8]);
        Assert.Equal((2, Root, first, second), (path.BlockCount, path.HashAfter(0), path.HashAfter(1), path.HashAfter(2)));
        Assert.Equal([second], path.Hashes(1, 2).ToArray());
        Assert.Equal(second.Next(tokens[8..9]), path.HashOfPart(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => path.HashAfter(3));
        BlockHash[] expected = [first.Next([4]), first.Next([4, 5]), first.Next([4, 5, 6]), second, second.Next([8]), second.Next([8, 9])];
        Assert.Equal(expected, path.HashesWithParts(1));
    }

    /// <summary>Whatever is done to a path, and in whatever order it is asked, it says what one made anew says.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AChangedPathSaysWhatOneMadeAnewSays(int seed)
    {
        var random = new Random(seed);
        var path = new BlockPath(Root, BlockSize, []);
        int anchored = 0, truncated = 0;
        for (int step = 0; step < 2000; step++)
        {
            int[] more = [.. Enumerable.Range(0, random.Next(9)).Select(_ => random.Next(3))];
            switch (random.Next(5))
            {
                case 0:
                    path.Truncate(random.Next(path.TokenCount + 1));
                    truncated++;
                    break;
                case 1:
                    path.Follow([.. path.Tokens[..random.Next(path.TokenCount + 1)], .. more]);
                    break;
                case 2 when path.BlockCount > 0:
                    int at = random.Next(path.BlockCount) + 1;
                    path.Anchor(at, new BlockPath(Root, BlockSize, path.Tokens).HashAfter(at));
                    anchored++;
                    break;
                default:
                    path.Append(path.TokenCount < 200 ? more : []);
                    break;
            }

            int asked = random.Next(path.BlockCount + 1);
            var expected = new BlockPath(Root, BlockSize, path.Tokens);
            Assert.Equal(expected.HashAfter(asked), path.HashAfter(asked));
            int first = random.Next(path.BlockCount + 1), end = random.Next(first, path.BlockCount + 1);
            Assert.Equal(expected.Hashes(first, end).ToArray(), path.Hashes(first, end).ToArray());
        }

        Assert.True(anchored > 100 && truncated > 100);
    }
}
