namespace KvTiers.Cli.Tests.Replay;

public sealed class ReplayCommandTests : IDisposable
{
    private readonly string _trace = Path.GetTempFileName();

    public void Dispose() => File.Delete(_trace);

    [Theory]
    // Of [0 1 2] [0 3] [0 1 2]: all resident, the second finds 0 and the third 0 1 2.
    [InlineData("5", 4)]
    [InlineData("4", 4)]
    [InlineData("unbounded", 4)]
    // Three blocks: 0 3 needs one, and 2, the deepest of the least recently used, goes; then 3 goes for it.
    [InlineData("3", 3)]
    // Two blocks: only 0 1 of the first request fit; 1 goes for 3, and comes back for it.
    [InlineData("2", 2)]
    // One block: 0 alone.
    [InlineData("1", 2)]
    public async Task LeadingResidentBlocksHit(string capacity, int hits)
    {
        Write("""{"timestamp": 0, "input_length": 1500, "output_length": 3, "hash_ids": [70000000000, 1, 2]}""", """{"hash_ids": [70000000000, 3]}""", "", """{"hash_ids": [70000000000, 1, 2]}""");

        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", capacity, "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string written = capacity == "unbounded" ? "null" : capacity;
        Assert.Equal($$"""{"blocks":8,"capacities":[{"capacity":{{written}},"hits":{{hits}}}],"tiers":[]}""" + "\n", run.Output);
    }

    [Fact]
    public async Task ATableHasOneRowForEachCapacity()
    {
        Write("""{"hash_ids": [1, 2]}""", """{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", "1,2000,unbounded");

        Assert.Equal(
            $"""
            {Path.GetFileName(_trace)}: 2 requests, 4 blocks, 2 different ones

             capacity   hits   hit rate
                    1      1    25.00 %
                2,000      2    50.00 %
            unbounded      2    50.00 %

            """,
            run.Output);
    }

    [Theory]
    // Of [0 1 2] [3 4 5] [0 1 2] [3 4 9]. Three blocks hot: each request pushes the one before it to the second tier, and finds its own there.
    [InlineData("3,3", "0,5")]
    // Of 0 1 2 the second tier has only 0 when they are wanted; 3 4 5, which they push out, leave 3 there.
    [InlineData("3,1", "0,2")]
    // What the second tier pushes out, 2 first, the third takes.
    [InlineData("3,1,2", "0,2,3")]
    [InlineData("3,1,unbounded", "0,2,3")]
    // Everything is hot.
    [InlineData("7,1", "5,0")]
    [InlineData("unbounded,1,1", "5,0,0")]
    // One tier is a cache of that capacity.
    [InlineData("3", "0")]
    // Of a request only the first two blocks fit the hot tier.
    [InlineData("2,2", "0,4")]
    public async Task ColderTiersHitWhatTheHotterOnesEvicted(string tiers, string hits)
    {
        Write("""{"hash_ids": [0, 1, 2]}""", """{"hash_ids": [3, 4, 5]}""", """{"hash_ids": [0, 1, 2]}""", """{"hash_ids": [3, 4, 9]}""");

        CliRun run = await CliRun.WithAsync("replay", _trace, "--tiers", tiers, "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        IEnumerable<string> entries = tiers.Split(',').Zip(
            hits.Split(','), (capacity, count) => $$"""{"capacity":{{(capacity == "unbounded" ? "null" : capacity)}},"hits":{{count}}}""");
        Assert.Equal($$"""{"blocks":12,"capacities":[],"tiers":[{{string.Join(',', entries)}}]}""" + "\n", run.Output);
    }

    [Fact]
    public async Task TiersHaveATableOfTheirOwnWithTheirSum()
    {
        Write("""{"hash_ids": [1, 2]}""", """{"hash_ids": [3, 4]}""", """{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", "1200", "--tiers", "2,1000");

        Assert.Equal(
            $"""
            {Path.GetFileName(_trace)}: 3 requests, 6 blocks, 4 different ones

            capacity   hits   hit rate
               1,200      2    33.33 %

            tier      capacity   hits   hit rate
            1 (hot)          2      0     0.00 %
            2            1,000      2    33.33 %
            all          1,002      2    33.33 %

            """,
            run.Output);
    }

    [Fact]
    public async Task ATierWithoutBoundMakesTheirSumUnbounded()
    {
        Write("""{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync("replay", _trace, "--tiers", "2,unbounded");

        Assert.Contains("all       unbounded      0     0.00 %", run.Output);
    }

    [Fact]
    public async Task OnATerminalABarShowsOnStandardError()
    {
        Write("""{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync(null, ["replay", _trace, "--capacity", "1", "--json"], styled: true);

        Assert.Equal("""{"blocks":2,"capacities":[{"capacity":1,"hits":0}],"tiers":[]}""" + "\n", run.Output);
        Assert.Contains("capacity 1", run.Error);
        Assert.Contains("\u001b[", run.Error);
    }

    [Fact]
    public async Task TheBarNamesTheTiers()
    {
        Write("""{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync(null, ["replay", _trace, "--tiers", "2,1000", "--json"], styled: true);

        Assert.Equal("""{"blocks":2,"capacities":[],"tiers":[{"capacity":2,"hits":0},{"capacity":1000,"hits":0}]}""" + "\n", run.Output);
        Assert.Contains("tiers 2 + 1,000", run.Error);
    }

    [Fact]
    public async Task TheConversationTraceHitsExactly()
    {
        CliRun run = await CliRun.WithAsync(
            "replay", Repository.Shared("traces/conversation_trace.jsonl"),
            "--capacity", "1000,3000,10000,30000,50000,1000000", "--tiers", "1000,9000,40000", "--json");

        Assert.Equal(
            """{"blocks":288500,"capacities":[{"capacity":1000,"hits":12847},{"capacity":3000,"hits":18850},{"capacity":10000,"hits":61046},{"capacity":30000,"hits":93978},{"capacity":50000,"hits":102290},{"capacity":1000000,"hits":105710}],"tiers":[{"capacity":1000,"hits":12847},{"capacity":9000,"hits":48199},{"capacity":40000,"hits":41244}]}"""
            + "\n",
            run.Output);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"hash_ids": 3}""")]
    [InlineData("""{"hash_ids": [1.5]}""")]
    [InlineData("""{"hash_ids": ["a"]}""")]
    public async Task ALineThatIsNoRequestIsNamed(string line)
    {
        Write("""{"hash_ids": [1]}""", line);

        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", "1");

        Assert.Equal((1, $"error: {_trace}, line 2, is not a request with an array of whole numbers as hash_ids.\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task AnEmptyTraceIsAnError()
    {
        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", "1");

        Assert.Equal((1, $"error: {_trace} has no requests.\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task AMissingTraceIsAnError()
    {
        CliRun run = await CliRun.WithAsync("replay", _trace + ".none", "--capacity", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"error: {_trace}.none cannot be read: ", run.Error);
    }

    [Theory]
    [InlineData("--capacity", "0")]
    [InlineData("--capacity", "-1")]
    [InlineData("--capacity", "1,,2")]
    [InlineData("--capacity", "1k")]
    [InlineData("--capacity", "99999999999")]
    [InlineData("--tiers", "1000,0")]
    [InlineData("--tiers", "1000;9000")]
    [InlineData("--tiers", "1000,9000,")]
    [InlineData("--tiers", "")]
    public async Task ACapacityThatIsNoneIsWrongUsage(string option, string value)
    {
        CliRun run = await CliRun.WithAsync("replay", _trace, option, value);

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"error: {option} '{value}' must be numbers of blocks, at least 1, or 'unbounded', with commas between them.\n", run.Error);
    }

    [Fact]
    public async Task MoreTiersThanCanBeStackedAreWrongUsage()
    {
        CliRun run = await CliRun.WithAsync("replay", _trace, "--tiers", "1,2,3,4,5,6,7,8,9,10");

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("error: --tiers '1,2,3,4,5,6,7,8,9,10' has 10 tiers; there can be at most 9.\n", run.Error);
    }

    [Fact]
    public async Task AnOptionTwiceIsWrongUsage() =>
        Assert.Equal(2, (await CliRun.WithAsync("replay", _trace, "--tiers", "1", "--tiers", "2")).ExitCode);

    [Fact]
    public async Task WithoutACapacityOrTiersItIsWrongUsage()
    {
        CliRun run = await CliRun.WithAsync("replay", _trace);

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("error: replay needs --capacity, --tiers or both.\n", run.Error);
    }

    private void Write(params string[] lines) => File.WriteAllLines(_trace, lines);
}
