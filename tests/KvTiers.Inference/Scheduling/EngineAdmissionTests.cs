using System.Collections.Concurrent;
using KvTiers.Inference.Scheduling;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Whom the engine takes in: counted in sequences, by tenant.</summary>
public sealed class EngineAdmissionTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private static readonly EngineOptions Six = new() { MaxRunning = 2, MaxWaiting = 4 };

    [Fact]
    public async Task ARequestCountsAsTheSequencesThatItIs()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, Six);
        Generation five = host.Engine.Submit(Requests.Of([5, 6], newTokens: 2) with { Choices = 5 });
        await log.UntilHeld();

        Assert.Throws<EngineBusyException>(() => host.Engine.Submit(Requests.Of([5, 7], newTokens: 1) with { Choices = 2 }));
        Generation last = host.Engine.Submit(Requests.Of([5, 8], newTokens: 1));
        Assert.Throws<EngineBusyException>(() => host.Engine.Submit(Requests.Of([5, 9], newTokens: 1)));
        log.Open();
        await Task.WhenAll(five.Completion, last.Completion).WaitAsync(HangLimit.Time);

        // All places are free again.
        await host.Engine.Submit(Requests.Of([5, 6], newTokens: 1) with { Choices = 6 }).Completion.WaitAsync(HangLimit.Time);
    }

    [Fact]
    public async Task WhatCanNeverFitIsNotToBeTriedAgain()
    {
        await using var host = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, options: Six with { WeightOf = _ => 1 });

        ArgumentException wide = Assert.Throws<ArgumentException>(() => host.Engine.Submit(Requests.Of([5, 6], newTokens: 1) with { Choices = 5 }));
        Assert.Equal(nameof(GenerationRequest.Choices), wide.ParamName);
        Assert.Contains("at most 4", wide.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATenantThatFillsItsShareLeavesRoomForAnotherAtOnce()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, Six with { WeightOf = _ => 1 });
        Generation[] flood = [.. Enumerable.Range(0, 4).Select(i => host.Engine.Submit(Of("flood", i)))];
        await log.UntilHeld();

        EngineBusyException busy = Assert.Throws<EngineBusyException>(() => host.Engine.Submit(Of("flood", 9)));
        Generation other = host.Engine.Submit(Of("other", 10));
        log.Open();
        await Task.WhenAll([.. flood.Select(one => one.Completion), other.Completion]).WaitAsync(HangLimit.Time);

        Assert.True(busy.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task WhoHearsOfAnEndNoLongerFindsItCounted()
    {
        EngineSnapshot? atEnd = null;
        EngineHost? host = null;
        await using (host = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, options: Six with { Ended = (_, _) => atEnd = host!.Engine.Snapshot() }))
            await host.Run(Requests.Of([5, 6], newTokens: 2));

        Assert.Equal((0, 0), (atEnd!.Running, atEnd.Waiting));
    }

    // With a salt of its own in each request, one tenant would else be many.
    [Fact]
    public async Task ATenantIsOneWhateverSaltsItUses()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, Six with { WeightOf = _ => 1 });
        Generation[] flood = [.. Enumerable.Range(0, 4).Select(i => host.Engine.Submit(Of("flood", i) with { TenantSalt = new byte[] { (byte)i } }))];
        await log.UntilHeld();

        Assert.Throws<EngineBusyException>(() => host.Engine.Submit(Of("flood", 9) with { TenantSalt = new byte[] { 9 } }));
        log.Open();
        await Task.WhenAll(flood.Select(one => one.Completion)).WaitAsync(HangLimit.Time);
    }

    // A second and a third request of another tenant start at once too, though the first one's hold all places that run.
    [Fact]
    public async Task ATenantWithLessInWorkThanItsShareGetsPlacesAtOnce()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 6 });
        List<Task<GenerationResult>> all = [host.Run(Of("flood", 0, newTokens: 60))];
        await log.UntilHeld();
        all.AddRange(Enumerable.Range(1, 20).Select(i => host.Run(Of("flood", i, newTokens: 60))));
        log.Pass();
        await log.UntilHeld(); // with six of them in work

        all.AddRange(Enumerable.Range(0, 3).Select(i => host.Run(Of("other", 100 + i, length: 33, newTokens: 60))));
        log.Open();
        await Task.WhenAll(all);

        int[] starts = [.. log.Steps.Index().Where(step => step.Item.Any(segment => segment == (0, 33))).Select(step => step.Index)];
        Assert.InRange(starts[^1], 2, 4);
        Assert.Equal(3, log.Steps.SelectMany(step => step).Count(segment => segment == (0, 33)));
    }

    [Fact]
    public async Task ManyAnswersOfOneStandBackForTheFirstTokenOfAnother()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 9 });
        List<Task<GenerationResult>> all = [.. Enumerable.Range(0, 8).Select(i => host.Run(Of("flood", i, newTokens: 60)))];
        for (int i = 0; i < 4; i++)
        {
            await log.UntilHeld();
            log.Pass();
        }

        await log.UntilHeld(); // with all of them decoding
        all.Add(host.Run(Of("other", 100, length: 100, newTokens: 3)));
        log.Open();
        await Task.WhenAll(all);

        (int Start, int Rows)[] first = log.Steps.Single(step => step.Contains((0, 100)));
        Assert.Equal([(0, 100)], first);
        Assert.Equal(9, log.Steps.Single(step => step.Contains((100, 1))).Length);
    }

    // However often it comes and goes.
    [Fact]
    public async Task AnotherGetsAheadByNoMoreThanItsLead()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 9 });
        Task<GenerationResult>[] flood = [.. Enumerable.Range(0, 8).Select(i => host.Run(Of("flood", i, newTokens: 1_200)))];
        do
        {
            await log.UntilHeld();
            log.Pass();
        }
        while (log.Steps[^1] is not { Length: 8 } last || last.Any(segment => segment.Rows > 1));

        await log.UntilHeld(); // with all of them decoding
        int before = log.Steps.Count;
        for (int i = 0; i < 20; i++)
        {
            Task<GenerationResult> other = host.Run(Of("other", 100 + i, length: 500, newTokens: 1) with { UseCache = false });
            while (!other.IsCompleted)
            {
                log.Pass();
                await log.UntilHeld();
            }
        }

        int after = log.Steps.Count;
        log.Open();
        await Task.WhenAll(flood);

        (int Start, int Rows)[][] beside = [.. log.Steps.Skip(before).Take(after - before)];
        Assert.InRange(beside.Where(step => step.All(segment => segment.Rows > 1)).Sum(step => step.Sum(segment => segment.Rows)), 512, 2_048 + 640);
        Assert.InRange(beside.Sum(step => step.Where(segment => segment.Rows > 1).Sum(segment => segment.Rows)), 9_500, 10_000);
    }

    [Fact]
    public async Task StepsAreSharedByWeight()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { MaxRunning = 1, WeightOf = tenant => tenant == "heavy" ? 3 : 1 });
        List<Task<GenerationResult>> all = [host.Run(Of("light", 0))];
        await log.UntilHeld();
        all.AddRange(Enumerable.Range(1, 40).Select(i => host.Run(Of("light", i))));
        all.AddRange(Enumerable.Range(0, 40).Select(i => host.Run(Of("heavy", 500 + i, length: 41))));
        log.Open();
        await Task.WhenAll(all);

        int[] early = [.. log.Steps.SelectMany(step => step).Where(segment => segment.Start == 0).Select(segment => segment.Rows).Skip(1).Take(40)];
        Assert.InRange(early.Count(rows => rows == 41), 27, 33);
    }

    [Fact]
    public async Task WhatEachRequestTookIsToldHoweverItEnds()
    {
        var ended = new ConcurrentQueue<(string, long)>();
        using var log = new StepLog();
        await using EngineHost host = Host(log, new EngineOptions { Ended = (tenant, tokens) => ended.Enqueue((tenant, tokens)) });
        using var cancellation = new CancellationTokenSource();
        Task<GenerationResult> cancelled = host.Run(Of("a", 1, newTokens: 50), cancellation.Token);
        await log.UntilHeld();
        await cancellation.CancelAsync();
        log.Open();
        await cancelled;
        await host.Run(Of("b", 2, newTokens: 3) with { Choices = 2, Sampling = Requests.Seeded });
        await host.Run(Of("b", 2, newTokens: 0));

        // The first was cancelled after its prompt of 40 and its first token; the last found all but one token of its prompt.
        (string, long)[] told = [.. ended];
        Assert.Equal(("a", 41L), told[0]);
        Assert.Equal(("b", 46L), told[1]);
        Assert.Equal("b", told[2].Item1);
        Assert.InRange(told[2].Item2, 1, 16);
    }

    private static GenerationRequest Of(string tenant, int seed, int length = 40, int newTokens = 2) =>
        Requests.Of(Requests.Tokens(length, seed), newTokens) with { Tenant = tenant };

    private EngineHost Host(StepLog log, EngineOptions options) => new(new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, blocks: 1024, options: options);
}
