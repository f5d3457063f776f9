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
        string[] ids = await Task.WhenAll(Enumerable.Range(0, Conversations).Select(i => CreateAsync(silo, i)));
        // What is made once, with the first turn of a process and of a conversation, is not a turn's.
        await AllTalkAsync(turn: 0);
        (long allocatedBefore, long fullBefore) = await CountAsync(silo);
        for (int turn = 1; turn <= TurnsEach; turn++) await AllTalkAsync(turn);
        (long allocated, long full) = await CountAsync(silo);

        Assert.InRange(full - fullBefore, 0, 1);
        long perTurn = (allocated - allocatedBefore) / (Conversations * TurnsEach);
        TestContext.Current.TestOutputHelper?.WriteLine($"{perTurn:N0} bytes a turn");
        Assert.True(perTurn < 80_000, $"{perTurn:N0} bytes a turn.");

        Task AllTalkAsync(int turn) => Task.WhenAll(ids.Select((id, number) => TalkAsync(silo, id, number, turn)));
    }

    private static async Task<string> CreateAsync(SiloProcess silo, int number)
    {
        JsonObject conversation = await silo.Http.PostAsync("/v1/conversations", $$"""{"messages":[{"role":"system","content":"You are helper {{number}}."}]}""", System.Net.HttpStatusCode.Created);
        return conversation["id"]!.ToString();
    }

    private static async Task TalkAsync(SiloProcess silo, string id, int number, int turn)
    {
        string body = $$"""{"messages":[{"role":"user","content":"My name is Marta and I live in house {{number}} of street {{turn}}."}],"options":{"max_tokens":{{AnswerTokens}}},"stream":true}""";
        int events = 0;
        await foreach (string _ in silo.Http.StreamAsync($"/v1/conversations/{id}/turns", body)) events++;
        Assert.True(events > 3);
    }

    private static async Task<(long Allocated, long FullCollections)> CountAsync(SiloProcess silo)
    {
        string metrics = await silo.Http.GetStringAsync("/metrics");
        return (Value("dotnet_gc_allocated_bytes_total "), Value("dotnet_gc_collections_total{generation=\"2\"} "));

        long Value(string name) => long.Parse(metrics.Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture);
    }
}
