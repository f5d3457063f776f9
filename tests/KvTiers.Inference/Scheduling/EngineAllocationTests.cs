using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

public sealed class EngineAllocationTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Fact]
    public async Task ADecodeStepAllocatesOnlyAsItsBuffersGrow()
    {
        const int Warm = 100;
        const int NewTokens = 500;
        using var log = new StepLog();
        // Written on the engine's thread, read when it is done.
        var allocated = new List<long>(4096);
        await using var host = new EngineHost(new HookedModel(tiny.WithThreads(1), Measure), tiny.Tokenizer, blocks: 1024);
        SamplingOptions penalised = Requests.Letters with { Temperature = 0.9, TopK = 40, TopP = 0.9, RepetitionPenalty = 1.1 };
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 8).Select(i => Requests.Of(Requests.Tokens(40, i), NewTokens, i % 2 == 0 ? penalised : Requests.Letters with { Temperature = 0 }))];

        // The first round fills the tokenizer's table of texts.
        Task<GenerationResult[]> first = host.RunTogether(requests);
        await log.UntilHeld();
        log.Open();
        await first;
        allocated.Clear();
        await host.RunTogether(requests);

        long[] perStep = [.. Enumerable.Range(Warm, NewTokens - Warm - 20).Select(step => allocated[step + 1] - allocated[step])];
        double perToken = perStep.Average() / requests.Length;
        // What remains, and falls into few steps: text and channels that double as they grow, and a node of the cache's tree now and then.
        Assert.Equal(0, perStep.Order().ElementAt(perStep.Length / 2));
        Assert.True(perToken < 128, $"{perToken:F1} bytes a token.");

        void Measure(StepBatch batch)
        {
            if (allocated.Count == 0)
                log.Record(batch);
            allocated.Add(GC.GetAllocatedBytesForCurrentThread());
        }
    }
}
