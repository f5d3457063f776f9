using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Diagnostics;
using KvTiers.Tests.Support;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>Resizing and clearing tiers while they serve.</summary>
public sealed class TierAdminTests
{
    private const int Conversations = 8;
    private const int Turns = 6;

    [Theory]
    [InlineData("ram")]
    [InlineData("disk")]
    [InlineData("redis")]
    public async Task AColderTierIsResizedAndCleared(string tier)
    {
        Assert.SkipUnless(tier != "redis" || RedisServer.IsAvailable, RedisServer.Reason);
        using RedisServer? redis = tier == "redis" ? new RedisServer() : null;
        await using SiloServer silo = await SiloServer.StartAsync("--hot", "1MiB", "--" + tier, redis?.Configuration ?? "64MiB", "--KvTiers:RedisDeadline=60s");
        for (int i = 0; i < 40; i++) await TurnAsync(silo, $"fill{i}", $"Fill the tiers with prompt number {i}, if you please.");
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        JsonNode full = (await silo.Http.GetJsonAsync("/admin/tiers"))["colder"]![0]!;
        long blockBytes = (long)full["bytes_per_block"]!;
        Assert.True((long)full["blocks"]! > 8, full.ToJsonString());

        JsonObject small = await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", $$"""{"capacity":"{{(8 * blockBytes) + 1}}"}""");
        Assert.True((long)small["blocks"]! <= 8, small.ToJsonString());
        Assert.Equal(tier == "redis" ? (8 * blockBytes) + 1 : 8 * blockBytes, (long)small["capacity_bytes"]!);
        JsonObject large = await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", """{"capacity":"32MiB"}""");
        Assert.Equal((32L << 20) / blockBytes, (long)large["capacity_bytes"]! / blockBytes);
        JsonObject cleared = await silo.Http.PostAsync($"/admin/tiers/{tier}/clear", "");
        Assert.Equal((0, 0), ((long)cleared["blocks"]!, (long)cleared["used_bytes"]!));

        await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", $$"""{"capacity":"{{blockBytes}}"}""");
        await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", $$"""{"capacity":"{{blockBytes - 1}}"}""", HttpStatusCode.BadRequest);
        await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", """{"capacity":"2PiB"}""", HttpStatusCode.BadRequest);
        JsonObject unknown = await silo.Http.PostAsync("/admin/tiers/lukewarm/clear", "", HttpStatusCode.NotFound);
        Assert.Contains($"hot, {tier}", unknown.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHotTierIsClearedOfWhatNobodyHolds()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--ram", "64MiB");
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Nobody holds on to this prompt"}],"max_tokens":3}""");
        Assert.True(silo.Model.Cache.Snapshot().EvictableBlocks > 0);
        JsonObject cleared = await silo.Http.PostAsync("/admin/tiers/hot/clear", "");
        Assert.Equal(0, (int)cleared["evictable_blocks"]!);
        Assert.Equal(0, (long)(await silo.Http.GetJsonAsync("/admin/tiers"))["colder"]![0]!["blocks"]!); // forgotten, not demoted
        CacheIntegrity.Check(silo.Model.Cache);
    }

    /// <summary>Every tier shrinks, grows and is emptied while conversations go on: they say what they say on a server that is left alone.</summary>
    [Fact]
    public async Task ResizingLosesNoLiveConversation()
    {
        string[] expected;
        await using (SiloServer alone = await SiloServer.StartAsync()) expected = await TalkAsync(alone);

        await using SiloServer silo = await SiloServer.StartAsync("--hot", "1MiB", "--ram", "8MiB", "--disk", "16MiB", "--KvTiers:Promotion=always");
        int hotBlockBytes = silo.Model.Cache.Shape.BytesPerBlock;

        // So small that what passes through the hot tier passes through all.
        await silo.Http.PostAsync("/admin/tiers/hot/resize", $$"""{"capacity":"{{64 * hotBlockBytes}}"}""");
        await silo.Http.PostAsync("/admin/tiers/ram/resize", $$"""{"capacity":"{{8 * hotBlockBytes}}"}""");
        for (int i = 0; i < 40; i++)
            await silo.Http.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"{{i}}: what nobody comes back to leaves the hot tier, then memory, and ends on the disk"}],"max_tokens":3}""");
        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);

        Task<string[]> talk = TalkAsync(silo);
        int resizes = 0;
        for (; !talk.IsCompleted; resizes++, await Task.Yield())
        {
            // The smallest hot tier still holds a conversation.
            string tier = new[] { "hot", "ram", "disk" }[resizes % 3];
            long capacity = hotBlockBytes * new long[] { 64, 300, 48, 100 }[resizes / 3 % 4];
            await silo.Http.PostAsync($"/admin/tiers/{tier}/resize", $$"""{"capacity":"{{capacity * (tier == "hot" ? 1 : 2)}}"}""");
            if (resizes % 13 == 12) await silo.Http.PostAsync($"/admin/tiers/{tier}/clear", "");
        }

        Assert.Equal(expected, await talk);
        Assert.True(resizes > 12, $"only {resizes} resizes");
        CacheIntegrity.Check(silo.Model.Cache);
        Assert.All(silo.Model.Engine.Tiers!.Usage, usage => Assert.True(usage.Writes > 0, usage.Name));
    }

    private static async Task<string[]> TalkAsync(SiloServer silo)
    {
        string[][] texts = await Task.WhenAll(Enumerable.Range(0, Conversations).Select(async conversation =>
        {
            var said = new List<string>();
            for (int turn = 0; turn < Turns; turn++)
                said.Add(await TurnAsync(silo, $"c{conversation}", $"This is turn {turn} of conversation {conversation}. What comes next?"));
            return said.ToArray();
        }));
        return [.. texts.SelectMany(said => said)];
    }

    private static async Task<string> TurnAsync(SiloServer silo, string conversation, string text)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["options"] = new JsonObject { ["max_tokens"] = 12, ["temperature"] = 0 },
            ["mode"] = "append",
        };
        using HttpResponseMessage made = await silo.Http.PostAsync("/v1/conversations", new StringContent($$"""{"id":"{{conversation}}"}"""));
        Assert.True(made.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict);
        return (string)(await silo.Http.PostAsync($"/v1/conversations/{conversation}/turns", body.ToJsonString()))["text"]!;
    }
}
