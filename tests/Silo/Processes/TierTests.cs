using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Processes;

/// <summary>The server with a hot tier that is far too small, over colder ones: what was known is found, and nothing is computed twice.</summary>
public sealed class TierTests : IDisposable
{
    private const int Conversations = 12;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--ram", "256MiB")]
    [InlineData("--disk", "256MiB")]
    public async Task WhatLeavesTheHotTierComesBack(string flag, string size)
    {
        await using SiloProcess silo = await StartAsync(flag, size);
        int[] known = await TakeTurnsAsync(silo, new int[Conversations]);
        known = await TakeTurnsAsync(silo, known);
        await TakeTurnsAsync(silo, known);

        string tier = flag[2..];
        JsonObject tiers = await silo.Http.GetJsonAsync("/admin/tiers");
        JsonNode colder = Assert.Single(tiers["colder"]!.AsArray())!;
        Assert.Equal(tier, (string)colder["name"]!);
        Assert.True((long)colder["hits"]! > 0, colder.ToJsonString());
    }

    [Fact]
    public async Task AfterACleanStopTheDiskHasWhatWasHot()
    {
        int[] known;
        await using (SiloProcess silo = await StartAsync("--ram", "64MiB", "--disk", "256MiB"))
        {
            known = await TakeTurnsAsync(silo, new int[Conversations]);
            silo.Interrupt();
            Assert.Equal(0, await silo.WaitForExitAsync());
        }

        await using SiloProcess again = await StartAsync("--ram", "64MiB", "--disk", "256MiB");
        await TakeTurnsAsync(again, known);
    }

    [Fact]
    public async Task ATierTooSmallForOneBlockStopsTheStart()
    {
        await using SiloProcess silo = SiloProcess.Start(_folder.FullName, "--urls", "http://127.0.0.1:0", "--ram", "1MiB", "--hot", "1MiB", "--kv", "f32", "--disk", "1KiB");
        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.Contains("KvTiers:Disk", silo.Errors, StringComparison.Ordinal);
    }

    // The model is so small that computing would often be the faster choice: everything is to be loaded.
    private Task<SiloProcess> StartAsync(params string[] tiers) =>
        SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName, ["--hot", "1MiB", "--KvTiers:Promotion=always", .. tiers]);

    /// <summary>One turn of every conversation; all but the last known token must be found.</summary>
    /// <returns>Tokens known of each afterwards.</returns>
    private static async Task<int[]> TakeTurnsAsync(SiloProcess silo, int[] known)
    {
        int[] now = new int[known.Length];
        for (int i = 0; i < known.Length; i++)
        {
            if (known[i] == 0)
                await silo.Http.PostAsync("/v1/conversations", $"{{\"id\":\"c{i}\"}}", HttpStatusCode.Created);
            string text = $"My name is Tom{i} and I like the colour blue. What is my name? Tell me also about block number {i}, please.";
            var turn = new JsonObject
            {
                ["mode"] = "append",
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
                ["options"] = new JsonObject { ["max_tokens"] = 16, ["temperature"] = 0 },
            };
            JsonObject answer = await silo.Http.PostAsync($"/v1/conversations/c{i}/turns", turn.ToJsonString());
            JsonNode usage = answer["usage"]!;
            int cached = usage["cached"]!.AsObject().Where(tier => tier.Key != "total").Sum(tier => (int)tier.Value!);
            Assert.True(cached >= known[i] - 1, $"c{i}: {known[i]} tokens were known, and the answer says {usage.ToJsonString()}");
            now[i] = (int)usage["prompt_tokens"]! + (int)usage["completion_tokens"]!;
        }

        return now;
    }
}
