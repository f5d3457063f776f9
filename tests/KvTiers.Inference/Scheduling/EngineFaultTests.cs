using System.Diagnostics.Metrics;
using KvTiers.Inference.Scheduling;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Whatever throws, wherever, ends exactly the sequences that it was done for; the others get the very tokens they get without it.</summary>
public sealed class EngineFaultTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const int Blocks = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Prompts of several chunks, so that whoever shares one waits for it.
    private static readonly EngineOptions Chunks = new() { PrefillChunk = 16 };

    public static TheoryData<string, int> Stages()
    {
        var data = new TheoryData<string, int>();
        foreach (EngineStage stage in Enum.GetValues<EngineStage>())
        {
            data.Add(stage.ToString(), 1);
            if (stage != EngineStage.TakeOverPrefix)
                data.Add(stage.ToString(), 3);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public async Task AFaultAtAStageEndsTheSequenceThatItIsDoneForAndNoOther(string stage, int occurrence)
    {
        GenerationRequest[] requests = Mixed();
        GenerationResult[] expected = await Expected(requests);
        await using var host = new TieredHost(tiny, Blocks, format => [TieredHost.Ram(format, 256)], options: Chunks);
        int seen = 0;
        Generation? victim = null;
        host.Engine.BeforeStage = (at, sequence) =>
        {
            if (at.ToString() != stage || ++seen != occurrence)
                return;
            victim = sequence.Generation;
            throw new IOException("Injected.");
        };
        Generation[] generations = [.. requests.Select(request => host.Engine.Submit(request))];

        foreach ((Generation generation, GenerationResult same) in generations.Zip(expected))
        {
            Exception? error = await Record.ExceptionAsync(() => generation.Completion.WaitAsync(Patience));
            Assert.Equal(generation == victim, error is GenerationFailedException { InnerException: IOException { Message: "Injected." } });
            if (error is null)
                Requests.AssertSame(same, await generation.Completion);
        }

        Assert.True(victim is not null, $"{stage} was reached {seen} times.");
        await AssertSound(host);
    }

    /// <summary>The tiers have got, or are about to get, one sequence's lease when the plan breaks for another.</summary>
    [Fact]
    public async Task APlanThatThrowsAfterAPromotionBeganLosesNoSequence()
    {
        GenerationRequest long1 = Requests.Of(Requests.Tokens(160, 1), 8), short1 = Requests.Of(Requests.Tokens(40, 2), 8);
        GenerationResult[] expected = await Expected([long1, short1]);
        await using var host = new TieredHost(tiny, 64, format => [TieredHost.Ram(format, 64)], options: Chunks);
        Sequence? loading = null;
        using var begun = new SemaphoreSlim(0);
        bool threw = false;
        host.Engine.BeforeStage = (at, sequence) =>
        {
            if (at == EngineStage.Batch)
                begun.Release();
            if (at == EngineStage.Admit && sequence.PromptLength == 40)
                loading = sequence;
            if (at != EngineStage.MakeRoom || sequence.PromptLength != 160 || loading is not { State: SequenceState.Loading, IsHandedOver: false })
                return;
            threw = true;
            throw new IOException("Injected.");
        };

        Generation breaks = host.Engine.Submit(long1);
        Assert.True(await begun.WaitAsync(Patience));
        Generation goesOn = host.Engine.Submit(short1);

        Exception? error = await Record.ExceptionAsync(() => breaks.Completion.WaitAsync(Patience));
        Requests.AssertSame(expected[1], await goesOn.Completion.WaitAsync(Patience));
        Assert.Equal(threw, error is GenerationFailedException);
        Assert.True(threw, "The plan was to admit the short one while the long one had chunks left.");
        await AssertSound(host);
    }

    /// <summary>The lease of a choice that is with the tiers is released when it comes back, and nothing is computed for it.</summary>
    [Fact]
    public async Task AChoiceThatIsLoadingWhenAnotherOfItsGenerationFailsEndsWhenItComesBack()
    {
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 5).Select(i => Requests.Of(Requests.Tokens(40 + i, i), 60, Requests.Seeded with { Seed = i }) with { Choices = 2 })];
        GenerationResult[] expected = await Expected(requests);
        await using var host = new TieredHost(tiny, Blocks, format => [TieredHost.Ram(format, 256)]);
        var handedOver = new HashSet<Sequence>();
        Generation? victim = null;
        host.Engine.BeforeStage = (at, sequence) =>
        {
            if (at == EngineStage.HandOver)
                handedOver.Add(sequence);
            if (victim is not null || at != EngineStage.Sample || !handedOver.Any(other => other.IsHandedOver && other.Generation == sequence.Generation))
                return;
            victim = sequence.Generation;
            throw new IOException("Injected.");
        };
        Generation[] generations = [.. requests.Select(request => host.Engine.Submit(request))];

        foreach ((Generation generation, GenerationResult same) in generations.Zip(expected))
        {
            Exception? error = await Record.ExceptionAsync(() => generation.Completion.WaitAsync(Patience));
            Assert.Equal(generation == victim, error is GenerationFailedException);
            if (error is null)
                Requests.AssertSame(same, await generation.Completion);
        }

        Assert.True(victim is not null, "No choice was loading while another of its generation ran.");
        await AssertSound(host);
    }

    [Theory]
    [InlineData("End")]
    [InlineData("TakeBack")]
    [InlineData("HandOver")]
    public async Task AnEngineInWhichEveryEndThrowsCanBeDisposed(string stage)
    {
        var host = new TieredHost(tiny, Blocks, format => [TieredHost.Ram(format, 256)], options: Chunks);
        host.Engine.BeforeStage = (at, _) =>
        {
            if (at.ToString() == stage)
                throw new IOException("Injected.");
        };
        Generation[] generations = [.. Enumerable.Range(0, 6).Select(i => host.Engine.Submit(Requests.Of(Requests.Tokens(60, i), newTokens: 200)))];

        await host.Engine.DisposeAsync().AsTask().WaitAsync(Patience);

        Assert.All(generations, generation => Assert.True(generation.Completion.IsCompleted));
        await AssertSound(host);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task AMeterListenerAndALoggerThatThrowEndNoSequence()
    {
        GenerationRequest[] requests = Mixed();
        GenerationResult[] expected = await Expected(requests);
        await using var host = new TieredHost(tiny, Blocks, format => [TieredHost.Ram(format, 256)], options: Chunks, logger: new ThrowingLogger());
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == host.Engine)
                self.EnableMeasurementEvents(instrument);
        };
        int threw = 0;
        listener.SetMeasurementEventCallback<double>((_, _, _, _) =>
        {
            Interlocked.Increment(ref threw);
            throw new IOException("Listener.");
        });
        listener.Start();

        GenerationResult[] actual = await host.RunTogether(requests);

        Assert.True(threw > 0);
        foreach ((GenerationResult one, GenerationResult other) in expected.Zip(actual))
            Requests.AssertSame(one, other);
    }

    // Six that do not fit together, two of them with one beginning, one with choices.
    private static GenerationRequest[] Mixed()
    {
        int[] shared = Requests.Tokens(70, 50);
        return
        [
            Requests.Of([.. shared, .. Requests.Tokens(9, 1)], 40),
            Requests.Of([.. shared, .. Requests.Tokens(13, 2)], 40),
            Requests.Of(Requests.Tokens(40, 3), 50, Requests.Seeded) with { Choices = 4 },
            Requests.Of(Requests.Tokens(45, 4), 60),
            Requests.Of([.. shared, .. Requests.Tokens(5, 5)], 40),
            Requests.Of(Requests.Tokens(50, 6), 60, Requests.Seeded),
        ];
    }

    private async Task<GenerationResult[]> Expected(GenerationRequest[] requests)
    {
        await using var plain = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer);
        return await plain.RunTogether(requests);
    }

    // The engine is well: it takes one more, and nothing of the others is left.
    private static async Task AssertSound(TieredHost host)
    {
        host.Engine.BeforeStage = null;
        if (await Record.ExceptionAsync(() => host.Run(Requests.Of([5, 6, 7], newTokens: 1))) is { } error)
            Assert.IsType<ObjectDisposedException>(error);
        Assert.Equal((0, 0), (host.Engine.Snapshot().Running, host.Engine.Snapshot().Waiting));
        Assert.Equal(0, host.Cache.Snapshot().Leases);
    }

    private sealed class ThrowingLogger : ILogger<Engine>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("Logger.");
    }
}
