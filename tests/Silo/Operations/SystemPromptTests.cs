using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.Operations;

public sealed class SystemPromptTests
{
    private const string Text = "You are the harbour master. Answer every captain shortly, politely, and with the tide in mind.";

    [Fact]
    public async Task TheFirstConversationFindsAPromptOfTheSettings()
    {
        (int cold, _) = await AskAsync([]);
        (int warm, int prompt) = await AskAsync(["--KvTiers:SystemPrompts:0=Another one", $"--KvTiers:SystemPrompts:1={Text}"]);
        Assert.Equal(0, cold);
        Assert.InRange(warm, 32, prompt - 1);
    }

    [Fact]
    public async Task ItsBlocksOutliveOthers()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--hot", "1MiB", $"--KvTiers:SystemPrompts:0={Text}");
        for (int i = 0; i < 40; i++)
            await silo.Http.PostAsync("/v1/completions", $$"""{"prompt":"{{string.Join(' ', Enumerable.Repeat($"prompt {i}", 30))}}","max_tokens":1}""");
        Assert.True(silo.Model.Cache.Snapshot().Totals.EvictedBlocks > 0);
        Assert.True((await AskAsync(silo)).Cached >= 32);
    }

    [Fact]
    public async Task ATextBeyondTheContextStopsTheStart()
    {
        string text = string.Concat(Enumerable.Repeat("0123456789 ", 2_000));
        StartException e = await Assert.ThrowsAsync<StartException>(() => SiloServer.StartAsync($"--KvTiers:SystemPrompts:0={text}"));
        Assert.Contains("KvTiers:SystemPrompts:0: must be shorter", e.Message, StringComparison.Ordinal);
    }

    private static async Task<(int Cached, int Prompt)> AskAsync(string[] settings)
    {
        await using SiloServer silo = await SiloServer.StartAsync(settings);
        return await AskAsync(silo);
    }

    private static async Task<(int Cached, int Prompt)> AskAsync(SiloServer silo)
    {
        await silo.Http.PostAsync("/v1/conversations", """{"id":"first","messages":[{"role":"system","content":"TEXT"}]}""".Replace("TEXT", Text, StringComparison.Ordinal), HttpStatusCode.Created);
        JsonObject answer = await silo.Http.PostAsync(
            "/v1/conversations/first/turns", """{"mode":"append","messages":[{"role":"user","content":"When may I sail?"}],"options":{"max_tokens":2}}""");
        JsonNode usage = answer["usage"]!;
        return ((int)usage["cached"]!["hot"]!, (int)usage["prompt_tokens"]!);
    }
}
