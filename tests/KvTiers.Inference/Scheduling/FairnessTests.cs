using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Tenants share places and steps; prompts hold up running answers for a bounded time. Counted in steps and rows.</summary>
public sealed class FairnessTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const int LongPrompt = 40;
    private const int ShortPrompt = 33;
    private static readonly byte[] Other = [2];

    [Fact]
    public async Task AHundredQueuedRequestsOfOneTenantDoNotHoldUpAnother()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 4 });
        List<Task<GenerationResult>> many = [host.Run(Requests.Of(Requests.Tokens(LongPrompt, 0), 8))];
        await log.UntilHeld();
        many.AddRange(Enumerable.Range(1, 99).Select(i => host.Run(Requests.Of(Requests.Tokens(LongPrompt, i), 8))));
        log.Pass();
        await log.UntilHeld(); // with four of them in work

        Task<GenerationResult> one = host.Run(Requests.Of(Requests.Tokens(ShortPrompt, 900), 8) with { TenantSalt = Other });
        log.Open();
        await one;
        await Task.WhenAll(many);

        // It is in the first plan after its submission, though four of the other tenant's are in work.
        int started = FirstStep(log, ShortPrompt);
        Assert.InRange(started, 2, 3);
        Assert.True(host.Engine.Snapshot().Preemptions >= 1);
    }

    [Fact]
    public async Task TwoTenantsThatQueueAlikeAreServedInTurn()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 2 });
        List<Task<GenerationResult>> all = [.. Enumerable.Range(0, 40).Select(i => host.Run(Requests.Of(Requests.Tokens(LongPrompt, i), 4)))];
        await log.UntilHeld();
        all.AddRange(Enumerable.Range(0, 40).Select(i => host.Run(Requests.Of(Requests.Tokens(ShortPrompt, 500 + i), 4) with { TenantSalt = Other })));
        log.Open();
        await Task.WhenAll(all);

        int[] starts = [.. log.Steps.SelectMany(step => step).Where(segment => segment.Start == 0).Select(segment => segment.Rows)];
        int[] early = starts[4..44];
        Assert.InRange(early.Count(rows => rows == ShortPrompt), 16, 26);
        Assert.InRange(early.Count(rows => rows == LongPrompt), 14, 24);
    }

    [Fact]
    public async Task WhoGivesUpItsPlaceGoesOnWithTheSameOutput()
    {
        using var log = new StepLog();
        GenerationRequest[] requests =
        [
            Requests.Of(Requests.Tokens(LongPrompt, 1), 60), Requests.Of(Requests.Tokens(LongPrompt, 2), 60),
            Requests.Of(Requests.Tokens(ShortPrompt, 3), 20) with { TenantSalt = Other },
        ];
        List<GenerationResult> alone = [];
        await using (var quiet = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer))
        {
            foreach (GenerationRequest request in requests)
                alone.Add(await quiet.Run(request));
        }

        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 2 });
        var first = new List<Task<GenerationResult>> { host.Run(requests[0]) };
        await log.UntilHeld();
        first.Add(host.Run(requests[1]));
        log.Pass();
        await log.UntilHeld(); // with both in work
        Task<GenerationResult> other = host.Run(requests[2]);
        log.Open();

        foreach ((GenerationResult expected, GenerationResult actual) in alone.Zip([.. await Task.WhenAll(first), await other]))
            Requests.AssertSame(expected, actual);
        Assert.Equal(1, host.Engine.Snapshot().Preemptions);
        Assert.InRange(FirstStep(log, ShortPrompt), 2, 3);
    }

    [Fact]
    public async Task ALateTenantIsNotOwedWhatItDidNotAskFor()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 2 });
        log.Open();
        for (int i = 0; i < 20; i++)
            await host.Run(Requests.Of(Requests.Tokens(LongPrompt, i), 4));
        int before = log.Steps.Count;
        await host.RunTogether(Enumerable.Range(0, 20).SelectMany(i => (GenerationRequest[])
        [
            Requests.Of(Requests.Tokens(LongPrompt, 100 + i), 4), Requests.Of(Requests.Tokens(ShortPrompt, 500 + i), 4) with { TenantSalt = Other },
        ]));

        int[] starts = [.. log.Steps.Skip(before).SelectMany(step => step).Where(segment => segment.Start == 0).Select(segment => segment.Rows)];
        Assert.InRange(starts[..20].Count(rows => rows == LongPrompt), 6, 14);
    }

    [Fact]
    public async Task APromptDelaysRunningAnswersByNoMoreThanAsked()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxPrefillDelay = TimeSpan.FromMilliseconds(100) }, rowTime: TimeSpan.FromMilliseconds(1));
        Task<GenerationResult> answer = host.Run(Requests.Of(Requests.Tokens(600, 1), 60));
        await log.UntilHeld();
        Task<GenerationResult> prompt = host.Run(Requests.Of(Requests.Tokens(1000, 2), 2));
        log.Open();
        await Task.WhenAll(answer, prompt);

        // Alone, a prompt gets whole chunks.
        Assert.Contains(log.Steps, step => step.Any(segment => segment.Rows == 512));
        (int Start, int Rows)[][] shared = [.. log.Steps.Where(step => step.Any(IsAnswer) && step.Any(segment => segment.Rows > 1))];
        Assert.True(shared.Length >= 5, $"{shared.Length} steps with both.");
        Assert.All(shared, step => Assert.InRange(step.Where(segment => !IsAnswer(segment)).Sum(segment => segment.Rows), 16, 101));

        static bool IsAnswer((int Start, int Rows) segment) => segment is { Rows: 1, Start: >= 600 and < 660 };
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(10_001)]
    public void ADelayOutOfRangeIsRefused(double milliseconds)
    {
        var options = new EngineOptions { MaxPrefillDelay = TimeSpan.FromMilliseconds(milliseconds) };

        Assert.Contains("it must be from 1 ms to 10 s", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }

    // Every row takes a time of the engine's clock, and being held up none.
    private EngineHost Host(StepLog log, EngineOptions options, TimeSpan? rowTime = null)
    {
        var time = new StepClock();
        var model = new HookedModel(tiny.WithThreads(1), batch =>
        {
            log.Record(batch);
            time.Advance(batch.RowCount * (rowTime ?? TimeSpan.FromMicroseconds(1)));
        });
        return new EngineHost(model, tiny.Tokenizer, blocks: 1024, options: options, time: time);
    }

    private static int FirstStep(StepLog log, int promptLength) =>
        log.Steps.Index().First(step => step.Item.Any(segment => segment == (0, promptLength))).Index;
}
