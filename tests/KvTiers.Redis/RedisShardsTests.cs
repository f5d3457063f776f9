using KvTiers.Tests.Tiers;

namespace KvTiers.Redis.Tests;

public sealed class RedisShardsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(1024)]
    public void EveryPartHasItsOwnKeysWhoseTagsDiffer(int count)
    {
        var shards = new RedisShards("p:", 100, count);
        Assert.Equal(count, shards.All.Select(shard => TagOf((string)shard.Slot!)).Distinct().Count());
        Assert.All(shards.All, shard => Assert.All(shard.Index.Select(key => (string)key!).Append((string)shard.KeyOf("x")!), key => Assert.Equal(TagOf((string)shard.Slot!), TagOf(key))));
        Assert.Equal(5 * count, shards.All.SelectMany(shard => shard.Index).Distinct().Count());
    }

    /// <summary>The keys are what processes and builds share.</summary>
    [Fact]
    public void KeysAreWhatTheyWere()
    {
        var shards = new RedisShards("kvt:2:", 8704, 64);
        Assert.Equal("kvt:2:{64/0}:x", (string)shards.Of(TestBlocks.Hash(1)).KeyOf("x")!);
        Assert.Equal("kvt:2:{1/0}:order:8704", (string)new RedisShards("kvt:2:", 8704, 1).All[0].Slot!);
    }

    [Fact]
    public void RecordsFallIntoAllParts()
    {
        var shards = new RedisShards("p:", 100, 64);
        int[] counts = [.. Enumerable.Range(0, 6400).GroupBy(i => shards.Of(TestBlocks.Hash(i))).Select(part => part.Count())];
        Assert.Equal(64, counts.Length);
        Assert.All(counts, count => Assert.InRange(count, 60, 150));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(1000)]
    public void SharesAddUpToTheWholeAndDifferByOneAtMost(long records)
    {
        long[] shares = [.. new RedisShards("p:", 100, 64).All.Select(shard => shard.ShareOf(records))];
        Assert.Equal(records, shares.Sum());
        Assert.InRange(shares.Max() - shares.Min(), 0, 1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 2)]
    [InlineData(2047, 32)]
    [InlineData(2048, 64)]
    [InlineData(1_000_000, 64)]
    public void APartHasRoomForThirtyTwoRecordsAtLeast(long records, int parts) => Assert.Equal(parts, RedisShards.CountFor(records));

    private static string TagOf(string key) => key[(key.IndexOf('{', StringComparison.Ordinal) + 1)..key.IndexOf('}', StringComparison.Ordinal)];
}
