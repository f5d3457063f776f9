using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

public sealed class WordCacheTests
{
    [Fact]
    public void AWordIsFoundUntilTwoGenerationsHavePassed()
    {
        var cache = new WordCache(capacity: 4);
        cache.Add("first", [1]);
        foreach (string word in (string[])["a", "b", "c"])
            cache.Add(word, [0]);
        Assert.Equal([0], cache.Find("b")!);
        foreach (string word in (string[])["d", "e", "f"])
            cache.Add(word, [0]);

        Assert.Null(cache.Find("first"));
        Assert.NotNull(cache.Find("b"));
    }

    [Fact]
    public void AWordInUseStaysAndTheCacheIsBounded()
    {
        var cache = new WordCache(capacity: 10);
        cache.Add("kept", [7]);
        for (int i = 0; i < 1000; i++)
        {
            cache.Add($"word{i}", [i]);
            Assert.Equal([7], cache.Find("kept")!);
            Assert.InRange(cache.Count, 1, 20);
        }
    }

    [Fact]
    public void ManyThreadsNeverSeeAnotherWordsIds()
    {
        var cache = new WordCache(capacity: 50);
        Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            string word = $"word{i % 200}";
            if (cache.Find(word) is { } found)
                Assert.Equal([i % 200], found);
            else
                cache.Add(word, [i % 200]);
        });
    }
}
