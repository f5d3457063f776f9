using System.Text.Json;
using KvTiers.Cli.Load;

namespace KvTiers.Cli.Tests.Load;

public sealed class LoadRunTests
{
    private static readonly LoadOptions Options = new()
    {
        Urls = [new Uri("http://one"), new Uri("http://two")],
        Conversations = 6,
        Turns = 5,
        SystemTokens = 10,
        UserTokens = 5,
        EditRate = 0.3,
        Think = TimeSpan.Zero,
        Verify = true,
        MaxTime = TimeSpan.FromMinutes(1),
    };

    private readonly Dictionary<string, FakeSilo.Stored> _stored = [];

    [Fact]
    public async Task EveryTurnIsTakenCountedAndCompared()
    {
        LoadResult result = await Run(Options, new FakeSilo(_stored), new FakeSilo(_stored));
        Assert.Equal((30, 30, 0, 0), (result.Turns.Count, result.Verified, result.FailedTurns, result.FoundStored));
        Assert.Empty(result.Wrong);
        Assert.Empty(result.Faults);
        Assert.Equal(30, result.Silos.Sum(silo => silo.Turns));
        Assert.All(result.Silos, silo => Assert.True(silo.Turns > 0));
        Assert.Equal((300L, 90L, 120L, 0.7), (result.All.PromptTokens, result.All.Cached["hot"], result.All.Cached["redis"], result.All.HitRate));
        Assert.Contains(result.Turns, turn => turn.IsEdit);
        Assert.Equal(6, _stored.Count); // the conversations of the comparison are deleted
    }

    [Fact]
    public async Task FaultsAreCountedAndTurnsTakenAllTheSame()
    {
        LoadResult result = await Run(Options, new FakeSilo(_stored) { FailsBefore = 3 }, new FakeSilo(_stored) { FailsAfter = 4 });
        Assert.Empty(result.Wrong);
        Assert.Equal((30, 30), (result.Turns.Count, result.Verified));
        Assert.True(result.Faults["http 503"] > 0);
        Assert.True(result.Faults["broken stream"] > 0);
        Assert.True(result.FoundStored > 0);
    }

    [Fact]
    public async Task AWrongAnswerIsFound()
    {
        LoadResult result = await Run(Options, new FakeSilo(_stored) { IsWrong = true });
        Assert.Contains(result.Wrong, wrong => wrong.Contains("with the cache off it is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALostTurnIsFound()
    {
        LoadResult result = await Run(Options with { Verify = false, EditRate = 0 }, new FakeSilo(_stored) { Forgets = true });
        Assert.Contains(result.Wrong, wrong => wrong.Contains("acknowledged were version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ATurnThatNeverSucceedsIsGivenUp()
    {
        LoadResult result = await Run(Options with { Patience = TimeSpan.Zero }, new FakeSilo(_stored) { FailsBefore = 1 });
        Assert.Equal((0, 6), (result.Turns.Count, result.FailedTurns));
        Assert.Null(result.TtftMs);
        Assert.Equal(6, result.Wrong.Count);
    }

    [Fact]
    public async Task ARunIsBounded()
    {
        LoadOptions slow = Options with { Think = TimeSpan.FromHours(1), MaxTime = TimeSpan.FromSeconds(10) };
        var time = new ManualTime();
        int taken = 0;
        void Taken()
        {
            if (Interlocked.Increment(ref taken) == slow.Conversations)
                time.Advance(slow.MaxTime);
        }

        TimeoutException exception = await Assert.ThrowsAsync<TimeoutException>(() => new LoadRun(slow, [new FakeSilo(_stored)], time: time).RunAsync(Taken, CancellationToken.None));
        Assert.Contains("6 of 30 turns", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AResultIsWrittenAsJsonCsvAndHtml()
    {
        LoadResult result = await Run(Options, new FakeSilo(_stored), new FakeSilo(_stored) { FailsAfter = 4 });
        using JsonDocument json = JsonDocument.Parse(LoadReport.ToJson(result));
        Assert.Equal((30, 30, 0), (json.RootElement.GetProperty("turns").GetInt32(), json.RootElement.GetProperty("verified").GetInt32(), json.RootElement.GetProperty("wrong").GetInt32()));
        Assert.Equal(2, json.RootElement.GetProperty("silos").GetArrayLength());
        string path = Path.GetTempFileName();
        try
        {
            LoadReport.SaveCsv(result, path);
            string[] lines = await File.ReadAllLinesAsync(path);
            Assert.Equal(31, lines.Length);
            Assert.All(lines, line => Assert.Equal(15, line.Count(letter => letter == ',')));
            LoadHtml.Save(result, path);
            string html = await File.ReadAllTextAsync(path);
            Assert.Equal(2, html.Split("<svg").Length - 1);
            Assert.DoesNotContain("src=", html, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("--conversations", "0")]
    [InlineData("--edit-rate", "1.5")]
    [InlineData("--think", "5")]
    [InlineData("--think", "-5s")]
    [InlineData("--max-time", "0s")]
    [InlineData("--rate", "0")]
    [InlineData("--zipf", "-1")]
    [InlineData("--url", "localhost")]
    public async Task WrongValuesAreNamedWithTheirRule(string option, string value)
    {
        CliRun run = await CliRun.WithAsync("load", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(option, run.Error, StringComparison.Ordinal);
        Assert.Contains("must be", run.Error, StringComparison.Ordinal);
    }

    private static Task<LoadResult> Run(LoadOptions options, params FakeSilo[] silos) =>
        new LoadRun(options with { Urls = [.. options.Urls.Take(silos.Length)] }, silos).RunAsync(() => { }, CancellationToken.None);
}
