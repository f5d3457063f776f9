using KvTiers.Bench.Serving;
using KvTiers.Conversations;

namespace KvTiers.Bench.Tests.Serving;

public sealed class PrefixPlaceCheckTests
{
    // A prefix of 520 tokens is 32 blocks and 8 tokens.
    [Theory]
    [InlineData("Off", 0, 0, 0, 0, true)]
    [InlineData("Off", 3, 0, 0, 0, false)]
    [InlineData("Cold", 3, 0, 0, 0, true)]
    [InlineData("Cold", 16, 0, 0, 0, false)]
    [InlineData("Cold", 0, 0, 16, 0, false)]
    [InlineData("Hot", 520, 0, 0, 0, true)]
    [InlineData("Hot", 512, 0, 0, 0, true)]
    [InlineData("Hot", 511, 0, 0, 0, false)]
    [InlineData("Hot", 504, 16, 0, 0, false)]
    [InlineData("Ram", 0, 512, 0, 0, true)]
    [InlineData("Ram", 5, 507, 0, 0, true)]
    [InlineData("Ram", 5, 506, 0, 0, false)]
    [InlineData("Ram", 16, 512, 0, 0, false)]
    [InlineData("Ram", 0, 496, 0, 0, false)]
    [InlineData("Ram", 0, 512, 8, 0, false)]
    [InlineData("Disk", 0, 0, 512, 0, true)]
    [InlineData("Disk", 0, 512, 0, 0, false)]
    [InlineData("Redis", 0, 0, 0, 512, true)]
    [InlineData("Redis", 0, 0, 512, 0, false)]
    public void TokensMustComeFromThePlaceOfTheRow(string place, int hot, int ram, int disk, int redis, bool right)
    {
        var answer = new ServedAnswer(TimeSpan.Zero, TimeSpan.Zero, 560, 32, new CachedTokens { Hot = hot, Ram = ram, Disk = disk, Redis = redis });

        string? fault = PrefixPlaceCheck.Fault(Enum.Parse<PrefixPlace>(place), 520, answer);

        Assert.Equal(right, fault is null);
    }

    [Fact]
    public void ARowSaysItsTokensASecondAndSpreads()
    {
        ServedAnswer[] answers = [.. Enumerable.Range(1, 100).Select(i => new ServedAnswer(
            TimeSpan.FromMilliseconds(i), TimeSpan.FromMilliseconds(i + 62), 560, 32, new CachedTokens()))];

        var row = new ServingRow(PrefixPlace.Cold, 4, 512, answers, Seconds: 2, FullCollections: 0);

        Assert.Equal(50, row.Ttft.P50);
        Assert.Equal(99, row.Ttft.P99);
        Assert.Equal(2, row.Tpot.P50);
        Assert.Equal(1600, row.TokensPerSecond);
    }
}
