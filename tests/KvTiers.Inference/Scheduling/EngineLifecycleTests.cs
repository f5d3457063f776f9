using System.Diagnostics.Metrics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Cancelling, failing, refusing, ending.</summary>
public sealed class EngineLifecycleTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Fact]
    public async Task CancellingStopsComputingAndFreesTheBlocks()
    {
        using var cancellation = new CancellationTokenSource();
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record);

        Generation running = host.Engine.Submit(Requests.Of(Requests.Tokens(100, 1), newTokens: 1000), cancellation.Token);
        await log.UntilHeld();
        Generation waiting = host.Engine.Submit(Requests.Of(Requests.Tokens(100, 2), newTokens: 1000), cancellation.Token);
        cancellation.Cancel();
        log.Open();
        GenerationResult first = await running.Completion.WaitAsync(HangLimit.Time);
        GenerationResult second = await waiting.Completion.WaitAsync(HangLimit.Time);

        Assert.Equal((1, FinishReason.Cancelled), (first.Choices[0].TokenIds.Count, first.Choices[0].FinishReason));
        Assert.Equal((0, FinishReason.Cancelled), (second.Choices[0].TokenIds.Count, second.Choices[0].FinishReason));
        Assert.Equal(256, host.AvailableBlocks);
        Assert.Single(log.Steps);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await Read(running));
    }

    [Fact]
    public async Task ATokenThatIsCancelledAlreadyEndsTheRequest()
    {
        await using EngineHost host = Host(_ => { });

        GenerationResult result = await host.Run(Requests.Of([5, 6, 7]), new CancellationToken(canceled: true));

        Assert.Equal(FinishReason.Cancelled, result.Choices[0].FinishReason);
    }

    [Fact]
    public async Task ToStopReadingIsToCancel()
    {
        await using EngineHost host = Host(_ => { });
        Generation generation = host.Engine.Submit(Requests.Of(Requests.Tokens(100, 3), newTokens: 3000) with { Choices = 2, Sampling = Requests.Seeded });

        await foreach (GeneratedToken _ in generation.ReadAllAsync())
            break;
        GenerationResult result = await generation.Completion.WaitAsync(HangLimit.Time);

        Assert.All(result.Choices, choice => Assert.Equal(FinishReason.Cancelled, choice.FinishReason));
        Assert.Equal(256, host.AvailableBlocks);
    }

    [Fact]
    public async Task WhatACancelledPromptHadComputedIsFound()
    {
        int[] prompt = Requests.Tokens(100, 4);
        using var cancellation = new CancellationTokenSource();
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, new EngineOptions { PrefillChunk = 40 });

        Generation cancelled = host.Engine.Submit(Requests.Of(prompt), cancellation.Token);
        await log.UntilHeld();
        cancellation.Cancel();
        log.Open();
        await cancelled.Completion.WaitAsync(HangLimit.Time);

        Assert.Equal(40, (await host.Run(Requests.Of(prompt, newTokens: 1))).CachedTokenCount);
    }

    [Fact]
    public async Task AFailedStepFailsItsRequestsAndTheEngineGoesOn()
    {
        bool fails = true;
        await using EngineHost host = Host(_ =>
        {
            if (fails)
                throw new InvalidOperationException("The model broke.");
        });
        Generation first = host.Engine.Submit(Requests.Of(Requests.Tokens(50, 5)) with { Choices = 3 });

        GenerationFailedException error = await Assert.ThrowsAsync<GenerationFailedException>(() => first.Completion.WaitAsync(HangLimit.Time));
        await Assert.ThrowsAsync<GenerationFailedException>(async () => await Read(first));
        fails = false;
        GenerationResult second = await host.Run(Requests.Of(Requests.Tokens(50, 5)));

        Assert.Equal("The model broke.", error.InnerException!.Message);
        Assert.Equal((0, FinishReason.Length), (second.CachedTokenCount, second.Choices[0].FinishReason));
        Assert.Equal(256, host.AvailableBlocks);
    }

    [Fact]
    public async Task DisposingCancelsWhatRunsAndWaits()
    {
        using var log = new StepLog();
        EngineHost host = Host(log.Record, new EngineOptions { MaxRunning = 1 });
        Generation[] generations = [.. Enumerable.Range(0, 3).Select(i => host.Engine.Submit(Requests.Of(Requests.Tokens(30, i), newTokens: 3000)))];
        await log.UntilHeld();

        Task disposing = host.Engine.DisposeAsync().AsTask();
        log.Open();
        await disposing.WaitAsync(HangLimit.Time);

        foreach (Generation generation in generations)
            Assert.Equal(FinishReason.Cancelled, (await generation.Completion.WaitAsync(HangLimit.Time)).Choices[0].FinishReason);
        Assert.Throws<ObjectDisposedException>(() => host.Engine.Submit(Requests.Of([5])));
        Assert.Equal(256, host.AvailableBlocks);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task MoreThanMayWaitAreRefused()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, new EngineOptions { MaxRunning = 1, MaxWaiting = 2 });
        Generation running = host.Engine.Submit(Requests.Of([5, 6], newTokens: 1));
        await log.UntilHeld();

        Generation[] waiting = [host.Engine.Submit(Requests.Of([5, 7], newTokens: 1)), host.Engine.Submit(Requests.Of([5, 8], newTokens: 1))];
        EngineBusyException error = Assert.Throws<EngineBusyException>(() => host.Engine.Submit(Requests.Of([5, 9])));
        log.Open();
        await Task.WhenAll(waiting.Append(running).Select(generation => generation.Completion)).WaitAsync(HangLimit.Time);
        await host.Run(Requests.Of([5, 9], newTokens: 1));

        Assert.Equal(2, error.MaxWaiting);
    }

    [Fact]
    public async Task FirstComeIsFirstServed()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, new EngineOptions { MaxRunning = 1 });
        Task first = host.Run(Requests.Of(Requests.Tokens(10, 1), newTokens: 1));
        await log.UntilHeld();
        Task<GenerationResult[]> others = host.RunTogether([.. new[] { 30, 20, 40 }.Select(length => Requests.Of(Requests.Tokens(length, length), newTokens: 1))]);
        log.Open();
        await Task.WhenAll(first, others);

        Assert.Equal([[(0, 10)], [(0, 30)], [(0, 20)], [(0, 40)]], log.Steps);
    }

    [Fact]
    public async Task AStepHoldsTheDecodingRowsAndThenChunksOfPrompts()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, new EngineOptions { PrefillChunk = 8, MaxTokensPerStep = 12, MaxRunning = 4 });
        Task<GenerationResult> first = host.Run(Requests.Of(Requests.Tokens(5, 1), newTokens: 4));
        await log.UntilHeld();
        Task<GenerationResult[]> others = host.RunTogether([Requests.Of(Requests.Tokens(20, 2), newTokens: 1), Requests.Of(Requests.Tokens(6, 3), newTokens: 2)]);
        log.Open();
        await Task.WhenAll(first, others);

        Assert.Equal(
            [
                [(0, 5)],
                [(5, 1), (0, 8), (0, 3)],
                [(6, 1), (8, 8), (3, 3)],
                [(7, 1), (6, 1), (16, 4)],
            ],
            log.Steps);
    }

    [Fact]
    public async Task TheLatestGivesWayWhenBlocksRunOutAndComputesOnlyWhatWasEvicted()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, blocks: 6);

        // Each grows to four blocks; both together do not fit in six.
        Task<GenerationResult[]> running = host.RunTogether(
            [Requests.Of(Requests.Tokens(30, 1), newTokens: 30), Requests.Of(Requests.Tokens(31, 2), newTokens: 30)]);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] results = await running;

        EngineSnapshot snapshot = host.Engine.Snapshot();
        Assert.Equal(1, snapshot.Preemptions);
        Assert.Equal(0, results[0].RecomputedTokenCount);
        Assert.InRange(results[1].RecomputedTokenCount, 1, 31);
        Assert.Equal(snapshot.RecomputedTokens, results[1].RecomputedTokenCount);
        Assert.Equal(6, host.AvailableBlocks);
    }

    [Fact]
    public async Task BlocksHeldOutsideTheEngineHoldARequestUpUntilTheyAreReleased()
    {
        await using EngineHost host = Host(_ => { }, blocks: 4);
        GenerationResult kept = await host.Run(Requests.Of(Requests.Tokens(40, 1), newTokens: 1) with { KeepLease = true });

        Task<GenerationResult> blocked = host.Run(Requests.Of(Requests.Tokens(40, 2), newTokens: 1));
        await Task.WhenAny(blocked, Task.Delay(50));
        Assert.False(blocked.IsCompleted);
        kept.Lease!.Dispose();

        Assert.Equal(40, (await blocked).ComputedTokenCount);
    }

    [Fact]
    public async Task APoolThatWasShrunkBelowARequestEndsIt()
    {
        using var log = new StepLog();
        await using EngineHost host = Host(log.Record, blocks: 12);
        Generation running = host.Engine.Submit(Requests.Of(Requests.Tokens(60, 1), newTokens: 100));
        await log.UntilHeld();
        Generation waiting = host.Engine.Submit(Requests.Of(Requests.Tokens(100, 2)));
        host.Cache.Resize(5);
        log.Open();

        GenerationResult result = await running.Completion.WaitAsync(HangLimit.Time);

        Assert.Equal((FinishReason.Length, 81), (result.Choices[0].FinishReason, 60 + result.Choices[0].TokenIds.Count));
        await Assert.ThrowsAsync<PromptTooLongException>(() => waiting.Completion.WaitAsync(HangLimit.Time));
    }

    [Fact]
    public async Task BadRequestsAreRefusedAtOnceByNameValueAndRule()
    {
        await using EngineHost host = Host(_ => { });
        GenerationRequest good = Requests.Of([5]);

        Refused(good with { Prompt = ReadOnlyMemory<int>.Empty }, "Prompt is empty; it must be at least one token.");
        Refused(good with { Prompt = new[] { 5, 640 } }, "Prompt holds token 640; ids must be from 0 to 639.");
        Refused(good with { Prompt = new[] { -1 } }, "Prompt holds token -1; ids must be from 0 to 639.");
        Refused(good with { MaxNewTokens = -1 }, "MaxNewTokens is -1; it must be 0 or more.");
        Refused(good with { Choices = 0 }, "Choices is 0; it must be from 1 to 128.");
        Refused(good with { Choices = 129 }, "Choices is 129; it must be from 1 to 128.");
        Refused(good with { Embedding = EmbeddingPooling.Mean, MaxNewTokens = 1 }, "MaxNewTokens is 1; it must be 0 where an embedding is asked for.");
        Refused(good with { Embedding = EmbeddingPooling.Mean, MaxNewTokens = 0, Choices = 2 }, "Embedding is asked for; it must be null with more than one choice, or with log-probabilities.");
        Refused(good with { PromptLogProbs = 21 }, "PromptLogProbs is 21; it must be from 0 to 20.");
        Refused(good with { StopStrings = [""] }, "StopStrings is holding an empty string; it must be a list of non-empty strings.");
        Refused(good with { StopStrings = [.. Enumerable.Repeat("x", 65)] }, "StopStrings is a list of 65; it must be at most 64 strings.");
        Refused(good with { KeepLease = true, UseCache = false }, "KeepLease is true while UseCache is false; it must be false when the cache is not used.");
        Refused(good with { Sampling = new SamplingOptions { TopP = 2 } }, "TopP is 2; it must be from 0 to 1.");
        Assert.Equal(0, host.Engine.Snapshot().Steps);

        void Refused(GenerationRequest request, string message)
        {
            ArgumentException error = Assert.Throws<ArgumentException>(() => host.Engine.Submit(request));
            Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task APromptThatCannotFitIsRefusedWithItsLengthAndTheLimit()
    {
        await using EngineHost small = Host(_ => { }, blocks: 4);
        await using EngineHost large = Host(_ => { }, blocks: 300);

        PromptTooLongException pool = Assert.Throws<PromptTooLongException>(() => small.Engine.Submit(Requests.Of(Requests.Tokens(64, 1))));
        PromptTooLongException context = Assert.Throws<PromptTooLongException>(() => large.Engine.Submit(Requests.Of(Requests.Tokens(4096, 1))));

        Assert.StartsWith("The prompt has 64 tokens; it must have at most 63, because the block pool holds 64 tokens, one of them new.", pool.Message, StringComparison.Ordinal);
        Assert.StartsWith("The prompt has 4096 tokens; it must have at most 4095, because the model's context is 4096 tokens", context.Message, StringComparison.Ordinal);
        Assert.Equal((64, 63), (pool.PromptTokenCount, pool.MaxPromptTokenCount));
    }

    [Theory]
    [InlineData(0, 512, 64, 1024, "MaxTokensPerStep is 0; it must be from 1 to 65536.")]
    [InlineData(65537, 512, 64, 1024, "MaxTokensPerStep is 65537; it must be from 1 to 65536.")]
    [InlineData(640, 0, 64, 1024, "PrefillChunk is 0; it must be from 1 to 65536.")]
    [InlineData(640, 65537, 64, 1024, "PrefillChunk is 65537; it must be from 1 to 65536.")]
    [InlineData(640, 512, 0, 1024, "MaxRunning is 0; it must be from 1 to 4096.")]
    [InlineData(65536, 512, 4097, 1024, "MaxRunning is 4097; it must be from 1 to 4096.")]
    [InlineData(63, 512, 64, 1024, "MaxRunning is 64; it must be at most MaxTokensPerStep (63).")]
    [InlineData(640, 512, 64, 0, "MaxWaiting is 0; it must be 1 or more.")]
    public void EngineOptionsOutOfRangeAreRefused(int step, int chunk, int running, int waiting, string message)
    {
        var options = new EngineOptions { MaxTokensPerStep = step, PrefillChunk = chunk, MaxRunning = running, MaxWaiting = waiting };

        Assert.StartsWith(message, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(65536, 65536, 4096, int.MaxValue)]
    public void EngineOptionsAtTheEdgesOfTheirRangesAreAllowed(int step, int chunk, int running, int waiting) =>
        new EngineOptions { MaxTokensPerStep = step, PrefillChunk = chunk, MaxRunning = running, MaxWaiting = waiting }.Validate();

    [Fact]
    public async Task ACacheOfAnotherShapeIsRefused()
    {
        using var cache = new KvCache(new Blocks.BlockLayout(2, 2, 16), new KvCacheOptions { HotBlocks = 4, Prefault = false });

        Assert.Equal("cache", Assert.Throws<ArgumentException>(() => new Engine(tiny.WithThreads(1), tiny.Tokenizer, cache, new EngineOptions())).ParamName);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task TheMeterTellsWhatTheEngineDid()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter is { Name: "KvTiers.Engine", Scope: Engine })
                self.EnableMeasurementEvents(instrument);
        };
        await using EngineHost host = Host(_ => { });
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => Add(instrument, 1));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        listener.Start();

        int[] prompt = Requests.Tokens(40, 1);
        await host.Run(Requests.Of(prompt, newTokens: 5));
        await host.Run(Requests.Of(prompt, newTokens: 5));
        listener.RecordObservableInstruments();
        await host.Engine.DisposeAsync();

        lock (seen)
        {
            Assert.Equal(2, seen["kvtiers.engine.ttft"]);
            Assert.Equal(2, seen["kvtiers.engine.tpot"]);
            Assert.Equal(8, seen["kvtiers.engine.itl"]);
            Assert.Equal(10, seen["kvtiers.engine.step"]);
            Assert.Equal(41, seen["kvtiers.engine.tokens.computed"]);
            Assert.Equal(39, seen["kvtiers.engine.tokens.cached"]);
            Assert.Equal(10, seen["kvtiers.engine.tokens.generated"]);
        }

        void Add(Instrument instrument, double value)
        {
            lock (seen)
            {
                if (instrument.Meter.Scope == host.Engine)
                    seen[instrument.Name] = seen.GetValueOrDefault(instrument.Name) + value;
            }
        }
    }

    private static async Task Read(Generation generation)
    {
        await foreach (GeneratedToken _ in generation.ReadAllAsync())
        {
        }
    }

    private EngineHost Host(Action<StepBatch> beforeStep, EngineOptions? options = null, int blocks = 256) =>
        new(new HookedModel(tiny.WithThreads(1), beforeStep), tiny.Tokenizer, blocks, options);
}
