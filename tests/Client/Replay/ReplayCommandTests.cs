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
        Assert.Equal($$"""{"blocks":8,"capacities":[{"capacity":{{written}},"hits":{{hits}}}]}""" + "\n", run.Output);
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

    [Fact]
    public async Task OnATerminalABarShowsOnStandardError()
    {
        Write("""{"hash_ids": [1, 2]}""");

        CliRun run = await CliRun.WithAsync(null, ["replay", _trace, "--capacity", "1", "--json"], styled: true);

        Assert.Equal("""{"blocks":2,"capacities":[{"capacity":1,"hits":0}]}""" + "\n", run.Output);
        Assert.Contains("capacity 1", run.Error);
        Assert.Contains("\u001b[", run.Error);
    }

    [Fact]
    public async Task TheConversationTraceHitsExactly()
    {
        CliRun run = await CliRun.WithAsync(
            "replay", Repository.Shared("traces/conversation_trace.jsonl"), "--capacity", "1000,3000,10000,30000,50000,1000000", "--json");

        Assert.Equal(
            """{"blocks":288500,"capacities":[{"capacity":1000,"hits":12847},{"capacity":3000,"hits":18850},{"capacity":10000,"hits":61046},{"capacity":30000,"hits":93978},{"capacity":50000,"hits":102290},{"capacity":1000000,"hits":105710}]}"""
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
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1,,2")]
    [InlineData("1k")]
    [InlineData("99999999999")]
    public async Task ACapacityThatIsNoneIsWrongUsage(string capacity)
    {
        CliRun run = await CliRun.WithAsync("replay", _trace, "--capacity", capacity);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("must be numbers of blocks, at least 1, or 'unbounded'", run.Error);
    }

    [Fact]
    public async Task WithoutACapacityItIsWrongUsage() => Assert.Equal(2, (await CliRun.WithAsync("replay", _trace)).ExitCode);

    private void Write(params string[] lines) => File.WriteAllLines(_trace, lines);
}
