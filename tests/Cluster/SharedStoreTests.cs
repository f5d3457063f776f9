using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Client;
using KvTiers.Conversations;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>Servers that store conversations on one Redis: any takes any turn, and a Redis that goes costs time, never a turn.</summary>
public sealed class SharedStoreTests
{
    private static readonly ConversationKey Key = new(KvTiersClientOptions.DefaultTenant, "shared");

    [Fact]
    public async Task AnyServerContinuesWhatAnotherBegan()
    {
        await using SharedStore shared = await SharedStore.StartAsync(2);
        IConversations one = shared.ClientOf(0), two = shared.ClientOf(1);
        await one.CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id });
        await SharedStore.SayAsync(one, Key, "The first.");
        TurnCompleted second = await SharedStore.SayAsync(two, Key, "The second.");
        TurnCompleted third = await SharedStore.SayAsync(one, Key, "The third.");
        Assert.Equal((3, 4), (second.Version, third.Version));
        Assert.Equal(["The first.", "The second.", "The third."], (await two.GetAsync(Key)).Messages.Where(message => message.Role == "user").Select(message => message.Content));
        Assert.Equal(Key.Id, Assert.Single(await two.ListAsync(Key.Tenant)).Id);
        Assert.Empty(Directory.EnumerateFiles(DataOf(shared, 0), "*.conv", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task AChangeOfAnotherVersionIsRefusedAndOneWithoutAVersionGoesOnFromTheNewest()
    {
        await using SharedStore shared = await SharedStore.StartAsync(2);
        IConversations one = shared.ClientOf(0), two = shared.ClientOf(1);
        await one.CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id });
        await SharedStore.SayAsync(one, Key, "The first.", expectedVersion: 1);
        ConversationConflictException late = await Assert.ThrowsAsync<ConversationConflictException>(() => SharedStore.SayAsync(two, Key, "Too late.", expectedVersion: 1));
        Assert.Contains("is at version 2, not 1", late.Message, StringComparison.Ordinal);
        Assert.Equal(3, (await SharedStore.SayAsync(two, Key, "In time.")).Version);
    }

    [Fact]
    public async Task WithRedisAwayStoredConversationsAreRefusedAndLaterGoOn()
    {
        await using SharedStore shared = await SharedStore.StartAsync(1, "--KvTiers:StoreDeadline=5s");
        HttpClient http = shared.Silos[0].Http;
        IConversations silo = shared.ClientOf(0);
        await silo.CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id });
        await SharedStore.SayAsync(silo, Key, "Acknowledged.");
        string stored = await http.GetStringAsync($"/v1/conversations/{Key.Id}");

        shared.Redis.Kill();
        const string Turn = """{"messages":[{"role":"user","content":"x"}],"options":{"max_tokens":4}}""";
        JsonObject refusal = await http.PostAsync($"/v1/conversations/{Key.Id}/turns", Turn, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("store_unavailable", (string)refusal["error"]!["code"]!);
        await http.PostAsync("/v1/conversations", "{}", HttpStatusCode.ServiceUnavailable);
        JsonObject ready = await http.GetJsonAsync("/readyz");
        Assert.Equal("degraded", (string)ready["status"]!);
        Assert.Contains(ready["reasons"]!.AsArray(), reason => ((string)reason!).Contains("store", StringComparison.Ordinal));
        await http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Nothing is stored of this."}],"max_tokens":4}""");

        shared.Redis.Start();
        await UntilReadyAsync(http);
        Assert.Equal(stored, await http.GetStringAsync($"/v1/conversations/{Key.Id}"));
        Assert.Equal(3, (await SharedStore.SayAsync(silo, Key, "Goes on.")).Version);
    }

    /// <summary>It cannot know yet under which names the other servers keep blocks, so it takes no turns, says what it waits for, and goes on by itself.</summary>
    [Fact]
    public async Task AServerThatNeverSawItsRedisWaitsForItAndSaysSo()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using RedisServer redis = RedisServer.StartKeeping();
        redis.Kill();
        await using SiloServer silo = await SiloServer.ListenAsync(null, "--store", "redis", "--store-redis", redis.Configuration + ",password=hunter2", "--KvTiers:StoreDeadline=1s");
        string reason = "";
        await Eventually.TrueAsync(async () =>
        {
            JsonObject health = await silo.Http.GetJsonAsync("/readyz", HttpStatusCode.ServiceUnavailable);
            reason = (string)Assert.Single(health["reasons"]!.AsArray())!;
            return (string)health["status"]! == "not_ready" && reason.StartsWith("waiting for", StringComparison.Ordinal);
        });
        Assert.Contains($"waiting for the conversation store's Redis at 127.0.0.1:{redis.Port}", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", reason, StringComparison.Ordinal);
        Assert.Equal("ok", (string)(await silo.Http.GetJsonAsync("/healthz"))["status"]!);
        JsonObject refusal = await silo.Http.PostAsync("/v1/conversations", "{}", HttpStatusCode.ServiceUnavailable);
        Assert.Contains($"127.0.0.1:{redis.Port}", (string)refusal["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ItIsReadyOnceItsRedisIsThereAndFromThenOnStartsWithoutIt()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using RedisServer redis = RedisServer.StartKeeping();
        using var data = new TemporaryFolder();
        string[] arguments = ["--data", data.FullName, "--store", "redis", "--store-redis", redis.Configuration, "--KvTiers:StoreDeadline=1s"];
        redis.Kill();
        await using (SiloServer first = await SiloServer.ListenAsync(null, arguments))
        {
            redis.Start();
            await first.UntilReadyAsync();
            await UntilReadyAsync(first.Http);
            await first.Http.PostAsync("/v1/conversations", """{"id":"kept"}""", HttpStatusCode.Created);
        }

        redis.Kill();
        await using SiloServer second = await SiloServer.StartAsync(arguments);
        Assert.Equal("degraded", (string)(await second.Http.GetJsonAsync("/readyz"))["status"]!);
        await second.Http.PostAsync("/v1/conversations", "{}", HttpStatusCode.ServiceUnavailable);
        await second.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Nothing is stored of this."}],"max_tokens":4}""");
        redis.Start();
        await UntilReadyAsync(second.Http);
        await second.Http.GetJsonAsync("/v1/conversations/kept");
    }

    private static string DataOf(SharedStore shared, int silo) => shared.Silos[silo].Data;

    private static async Task UntilReadyAsync(HttpClient http)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while ((string)(await http.GetJsonAsync("/readyz"))["status"]! != "ready") await Task.Delay(20, deadline.Token);
    }
}
