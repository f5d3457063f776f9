using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Processes;

public sealed class StopTests : IDisposable
{
    // Never ends by itself within the test: the tokens that end a text are barred.
    private static readonly string Endless = $$"""{"messages":[{"role":"user","content":"Go on"}],"logit_bias":{"0":-100,"2":-100},"stream":true,"max_tokens":{{TestModels.Endless}} }""";
    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task CtrlCLetsARunningTurnFinish()
    {
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Slow, _data.FullName, "--stop-grace", "60s");
        const string Body = """{"messages":[{"role":"user","content":"Go on"}],"max_tokens":100,"stream":true,"logit_bias":{"0":-100,"2":-100}}""";
        var data = new List<string>();
        await foreach (string item in silo.Http.StreamAsync("/v1/chat/completions", Body))
        {
            if (data.Count == 3) silo.Interrupt();
            data.Add(item);
        }

        Assert.Equal("[DONE]", data[^1]);
        Assert.Equal("length", (string)JsonNode.Parse(data[^2])!["choices"]![0]!["finish_reason"]!);
        Assert.Equal(0, await silo.WaitForExitAsync());
        Assert.Empty(silo.Errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("conversation")]
    public async Task AfterTheGracePeriodTheStreamEndsWithAnError(string conversation)
    {
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Slow, _data.FullName, "--stop-grace", "0s");
        string body = conversation.Length == 0 ? Endless : Endless.Replace("{\"messages\"", "{\"conversation\":\"c\",\"messages\"");
        var data = new List<string>();
        await foreach (string item in silo.Http.StreamAsync("/v1/chat/completions", body))
        {
            if (data.Count == 3) silo.Terminate();
            data.Add(item);
        }

        Assert.Equal("shutting_down", (string)JsonNode.Parse(data[^1])!["error"]!["code"]!);
        Assert.Equal(0, await silo.WaitForExitAsync());
        Assert.Empty(silo.Errors);
    }

    [Fact]
    public async Task ASecondCtrlCEndsTheTurnsAtOnce()
    {
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Slow, _data.FullName, "--stop-grace", "600s");
        var data = new List<string>();
        await foreach (string item in silo.Http.StreamAsync("/v1/chat/completions", Endless))
        {
            data.Add(item);
            if (data.Count == 3)
            {
                // Two that come close together may be one to the process, so the second waits for what the first did.
                silo.Interrupt();
                await Eventually.TrueAsync(() => silo.Output.Contains("Stopping: running turns may finish for 600 s", StringComparison.Ordinal));
            }

            if (data.Count == 40) silo.Interrupt();
        }

        Assert.Equal("shutting_down", (string)JsonNode.Parse(data[^1])!["error"]!["code"]!);
        Assert.Equal(0, await silo.WaitForExitAsync());
    }

    [Fact]
    public async Task ARestartKeepsConversations()
    {
        JsonObject before;
        await using (SiloProcess first = await SiloProcess.StartReadyAsync(TestModels.Tiny, _data.FullName))
        {
            await TurnAsync(first, "kept", "My cat is called Mia.");
            before = await first.Http.GetJsonAsync("/v1/conversations/kept");
            first.Interrupt();
            Assert.Equal(0, await first.WaitForExitAsync());
        }

        await using SiloProcess second = await SiloProcess.StartReadyAsync(TestModels.Tiny, _data.FullName);
        JsonObject after = await second.Http.GetJsonAsync("/v1/conversations/kept");
        Assert.Equal(before["version"]!.ToJsonString(), after["version"]!.ToJsonString());
        Assert.Equal(before["messages"]!.ToJsonString(), after["messages"]!.ToJsonString());
        await TurnAsync(second, "kept", "What is my cat called?", mode: "append");
    }

    [Fact]
    public async Task Kill9KeepsEveryAcknowledgedTurnAndADamagedOneHurtsNobodyElse()
    {
        var acknowledged = new Dictionary<string, long>();
        await using (SiloProcess first = await SiloProcess.StartReadyAsync(TestModels.Slow, _data.FullName))
        {
            for (int i = 0; i < 6; i++)
            {
                string id = $"c{i % 3}";
                JsonObject turn = await TurnAsync(first, id, $"Message {i}", i < 3 ? "history" : "append");
                acknowledged[id] = (long)turn["version"]!;
            }

            string unanswered = $$"""{"messages":[{"role":"user","content":"Never answered"}],"options":{"max_tokens":{{TestModels.Endless}},"logit_bias":[{"id":0,"bias":-100},{"id":2,"bias":-100}]},"stream":true}""";
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await foreach (string _ in first.Http.StreamAsync("/v1/conversations/c0/turns", unanswered)) first.KillNow();
            });
        }

        string damaged = Assert.Single(Directory.EnumerateFiles(_data.FullName, "*c2*.conv", SearchOption.AllDirectories));
        byte[] bytes = await File.ReadAllBytesAsync(damaged);
        bytes[20] ^= 0xFF;
        await File.WriteAllBytesAsync(damaged, bytes);

        await using SiloProcess second = await SiloProcess.StartReadyAsync(TestModels.Slow, _data.FullName);
        foreach (string id in (string[])["c0", "c1"])
        {
            JsonObject view = await second.Http.GetJsonAsync($"/v1/conversations/{id}");
            Assert.Equal(acknowledged[id], (long)view["version"]!);
            Assert.Equal(4, view["messages"]!.AsArray().Count);
        }

        JsonObject error = await second.Http.GetJsonAsync("/v1/conversations/c2", System.Net.HttpStatusCode.InternalServerError);
        Assert.Equal("conversation_damaged", (string)error["error"]!["code"]!);
        await TurnAsync(second, "c0", "Still there?", "append");
    }

    private static Task<JsonObject> TurnAsync(SiloProcess silo, string id, string text, string mode = "history") =>
        silo.Http.PostAsync($"/v1/conversations/{id}/turns", $$"""{"mode":"{{mode}}","messages":[{"role":"user","content":"{{text}}"}],"options":{"max_tokens":4} }""");
}
