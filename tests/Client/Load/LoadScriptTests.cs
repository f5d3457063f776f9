using KvTiers.Cli.Load;

namespace KvTiers.Cli.Tests.Load;

public sealed class LoadScriptTests
{
    private static readonly LoadOptions Options = new() { Urls = [], Conversations = 400, Turns = 8, SystemTokens = 20, Systems = 4, Zipf = 1, EditRate = 0.25, UserTokens = 6 };

    [Fact]
    public void TheSameSeedSaysTheSame()
    {
        LoadScript one = LoadScript.Draw(Options, 3), again = LoadScript.Draw(Options, 3), other = LoadScript.Draw(Options with { Seed = 2 }, 3);
        Assert.Equal(one.System, again.System);
        Assert.Equal(one.Steps, again.Steps);
        Assert.NotEqual(one.Steps, other.Steps);
    }

    [Fact]
    public void SystemPromptsAreSharedByZipfsLaw()
    {
        int[] shares = [.. Enumerable.Range(0, 400).Select(i => LoadScript.Draw(Options, i).System).GroupBy(text => text).Select(group => group.Count()).OrderDescending()];
        Assert.Equal(4, shares.Length);
        Assert.InRange(shares[0], 400 * 0.40, 400 * 0.56); // 1 / (1 + 1/2 + 1/3 + 1/4) = 48 %
        Assert.InRange(shares[3], 400 * 0.06, 400 * 0.18); // 12 %
    }

    [Fact]
    public void EditsConcernMessagesThatStand()
    {
        int edits = 0;
        for (int i = 0; i < 100; i++)
        {
            int messages = 0;
            foreach (LoadStep step in LoadScript.Draw(Options, i).Steps)
            {
                Assert.InRange(step.Replaces ?? 0, 0, Math.Max(0, messages - 1));
                edits += step.Replaces is null ? 0 : 1;
                messages = (step.Replaces ?? messages) + 1;
                Assert.Equal(6, step.Text.Split(' ').Length);
            }
        }

        Assert.InRange(edits, 100 * 7 * 0.2, 100 * 7 * 0.3);
    }

    [Fact]
    public void PercentilesAreByNearestRank()
    {
        Percentiles times = Percentiles.Of(Enumerable.Range(1, 10).Select(i => (TimeSpan?)TimeSpan.FromMilliseconds(i)).Append(null))!;
        Assert.Equal((5.0, 9.0, 10.0, 10.0), (times.P50, times.P90, times.P99, times.Max));
        Assert.Null(Percentiles.Of([]));
    }
}
