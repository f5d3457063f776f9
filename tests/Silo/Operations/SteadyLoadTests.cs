using System.Globalization;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>What the garbage collector has to do under a steady load, by counts.</summary>
public sealed class SteadyLoadTests
{
    private const int Conversations = 64;
    private const int TurnsEach = 5;
    private const int AnswerTokens = 32;

    /// <remarks>
    /// A full collection comes when the oldest generation has grown by about what it was, or large objects have. The tiny model's heap is small, a megabyte
    /// and a half, so one may fall into these 320 turns, more than 64 conversations take in a minute of a model of SmolLM2-135M's shape on two processors,
    /// whose heap is many times that. A large object in each turn would bring dozens.
    /// </remarks>
    [Fact]
    public async Task TurnsOf64ConversationsLeaveLittleToCollect()
    {
        using TemporaryFolder data = new();
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Tiny, data.FullName, "--hot", "256MiB");
        (long allocatedBefore, long fullBefore) = await CountAsync(silo);
        await Task.WhenAll(Enumerable.Range(0, Conversations).Select(i => TalkAsync(silo, i)));
        (long allocated, long full) = await CountAsync(silo);

        Assert.InRange(full - fullBefore, 0, 1);
        long perTurn = (allocated - allocatedBefore) / (Conversations * TurnsEach);
        TestContext.Current.TestOutputHelper?.WriteLine($"{perTurn:N0} bytes a turn");
        Assert.True(perTurn < 80_000, $"{perTurn:N0} bytes a turn.");
    }

    private static async Task TalkAsync(SiloProcess silo, int number)
    {
        JsonObject conversation = await silo.Http.PostAsync("/v1/conversations", $$"""{"messages":[{"role":"system","content":"You are helper {{number}}."}]}""", System.Net.HttpStatusCode.Created);
        for (int turn = 0; turn < TurnsEach; turn++)
        {
            string body = $$"""{"messages":[{"role":"user","content":"My name is Marta and I live in house {{number}} of street {{turn}}."}],"options":{"max_tokens":{{AnswerTokens}}},"stream":true}""";
            int events = 0;
            await foreach (string _ in silo.Http.StreamAsync($"/v1/conversations/{conversation["id"]}/turns", body)) events++;
            Assert.True(events > 3);
        }
    }

    private static async Task<(long Allocated, long FullCollections)> CountAsync(SiloProcess silo)
    {
        string metrics = await silo.Http.GetStringAsync("/metrics");
        return (Value("dotnet_gc_allocated_bytes_total "), Value("dotnet_gc_collections_total{generation=\"2\"} "));

        long Value(string name) => long.Parse(metrics.Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture);
    }
}
