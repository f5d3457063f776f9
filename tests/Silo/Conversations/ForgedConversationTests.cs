using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Redis;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;
using KvTiers.Tests.Support;
using StackExchange.Redis;

namespace KvTiers.Silo.Tests.Conversations;

/// <summary>Whoever can write the conversation store, and does, makes a clear error of that conversation; the others answer as they would have.</summary>
[Collection(AloneCollection.Name)]
public sealed class ForgedConversationTests : IDisposable
{
    private static readonly string[] Key = ["--KvTiers:RecordKey=" + Convert.ToHexStringLower(TenantSalts.NewSecret())];
    private static readonly string Tenant = KvTiers.Client.KvTiersClientOptions.DefaultTenant;

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("forged")]
    [InlineData("replayed")]
    [InlineData("swapped")]
    [InlineData("another's")]
    [InlineData("truncated")]
    [InlineData("another type")]
    public async Task OnRedisItIsAnErrorOfThatConversationAlone(string kind)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var redis = new RedisServer();
        string[] arguments = ["--store", "redis", "--store-redis", redis.Configuration, "--KvTiers:StoreDeadline=60s", .. Key];
        await using (SiloServer first = await SiloServer.StartAsync(arguments)) await TalkAsync(first);

        await using (RedisConversationStore forger = await RedisConversationStore.ConnectAsync(new() { Configuration = redis.Configuration, Deadline = TimeSpan.FromSeconds(60) }))
        using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration))
        {
            IDatabase database = connection.GetDatabase();
            RedisKey victim = $"kvc:1:{Tenant}/victim";
            RedisValue second = await database.HashGetAsync(victim, "2"), third = await database.HashGetAsync(victim, "3");
            Assert.True(second.HasValue && third.HasValue);
            switch (kind)
            {
                case "forged":
                    Assert.True(await forger.TryAppendAsync(new(Tenant, "victim"), await forger.ReadVersionAsync(new(Tenant, "victim")), Forgery()));
                    break;
                case "replayed":
                    await database.HashSetAsync(victim, "3", second);
                    break;
                case "swapped":
                    await database.HashSetAsync(victim, [new("2", third), new("3", second)]);
                    break;
                case "another's":
                    await database.HashSetAsync(victim, "3", await database.HashGetAsync($"kvc:1:{Tenant}/witness", "3"));
                    break;
                case "truncated":
                    await database.HashSetAsync(victim, "3", ((byte[])third!)[..^30]);
                    break;
                default:
                    await database.KeyDeleteAsync(victim);
                    await database.ListRightPushAsync(victim, "something else");
                    break;
            }
        }

        await using SiloServer after = await SiloServer.StartAsync(arguments);
        await CheckAsync(after);
        Assert.Equal("ready", (string)(await after.Http.GetJsonAsync("/readyz"))["status"]!);
    }

    [Theory]
    [InlineData("forged")]
    [InlineData("another's")]
    [InlineData("an older one's")]
    [InlineData("changed")]
    public async Task InFilesItIsAnErrorOfThatConversationAlone(string kind)
    {
        string[] arguments = ["--data", _data.FullName, .. Key];
        await using (SiloServer first = await SiloServer.StartAsync(arguments)) await TalkAsync(first);

        var forger = new FileConversationStore(new FileConversationStoreOptions { Folder = Path.Combine(_data.FullName, "conversations") });
        string victim = forger.PathOf(new(Tenant, "victim")), witness = forger.PathOf(new(Tenant, "witness"));
        byte[] bytes = await File.ReadAllBytesAsync(victim);
        switch (kind)
        {
            case "forged":
                File.Delete(victim);
                Assert.True(await forger.TryAppendAsync(new(Tenant, "victim"), null, new ConversationCreated
                {
                    At = default,
                    Incarnation = Guid.NewGuid(),
                    Model = "m",
                    Vocabulary = "v",
                    Messages = [new("user", "what nobody said", [1])],
                }));
                break;
            case "another's":
                await File.WriteAllBytesAsync(victim, await File.ReadAllBytesAsync(witness));
                break;
            case "an older one's":
                // Its head says which file it is, and its records stand in that one only.
                await File.WriteAllBytesAsync(victim, [.. (await File.ReadAllBytesAsync(witness))[..28], .. bytes[28..]]);
                break;
            default:
                bytes[^30] ^= 1;
                await File.WriteAllBytesAsync(victim, bytes);
                break;
        }

        await using SiloServer second = await SiloServer.StartAsync(arguments);
        await CheckAsync(second);
    }

    /// <summary>What builds without keys stored is refused, with what to do, and kept.</summary>
    [Fact]
    public async Task WhatWasStoredBeforeThereWasAKeyIsRefusedUntilItIsSaidThatItMayBeRead()
    {
        string[] arguments = ["--data", _data.FullName];
        string[] expected;
        await using (SiloServer before = await SiloServer.StartAsync(arguments)) expected = await TalkAsync(before);
        await using (SiloServer refusing = await SiloServer.StartAsync([.. arguments, .. Key]))
            Assert.Contains("AcceptUnsigned", (await refusing.Http.GetJsonAsync("/v1/conversations/witness", HttpStatusCode.InternalServerError)).ToJsonString(), StringComparison.Ordinal);
        await using (SiloServer accepting = await SiloServer.StartAsync([.. arguments, .. Key, "--KvTiers:AcceptUnsigned=on"]))
            Assert.Equal(expected, await SaidAsync(accepting, "witness"));
        await using SiloServer after = await SiloServer.StartAsync([.. arguments, .. Key]);
        Assert.Equal(expected, await SaidAsync(after, "witness"));
    }

    private static LogChanged Forgery() => new() { At = default, KeptMessages = 0, Entries = [new LogEntry(new LoggedMessage("user", "what nobody said", [1]))] };

    private static async Task<string[]> TalkAsync(SiloServer silo)
    {
        foreach (string id in (string[])["victim", "witness"])
        {
            await silo.Http.PostAsync("/v1/conversations", $$"""{"id":"{{id}}"}""", HttpStatusCode.Created);
            for (int i = 0; i < 2; i++) await TurnAsync(silo, id, $"Turn {i}: the harbour opens at seven.");
        }

        return await SaidAsync(silo, "witness");
    }

    private static async Task CheckAsync(SiloServer silo)
    {
        JsonObject error = await silo.Http.GetJsonAsync("/v1/conversations/victim", HttpStatusCode.InternalServerError);
        Assert.Equal("conversation_damaged", (string)error["error"]!["code"]!);
        error = await silo.Http.PostAsync("/v1/conversations/victim/turns", Body("And then?"), HttpStatusCode.InternalServerError);
        Assert.Equal("conversation_damaged", (string)error["error"]!["code"]!);

        string answer = await TurnAsync(silo, "witness", "And then?");
        await using SiloServer alone = await SiloServer.StartAsync();
        await TalkAsync(alone);
        Assert.Equal(await TurnAsync(alone, "witness", "And then?"), answer);
        Assert.Equal(await SaidAsync(alone, "witness"), await SaidAsync(silo, "witness"));
    }

    private static async Task<string[]> SaidAsync(SiloServer silo, string id) =>
        [.. (await silo.Http.GetJsonAsync($"/v1/conversations/{id}"))["messages"]!.AsArray().Select(message => (string)message!["content"]!)];

    private static async Task<string> TurnAsync(SiloServer silo, string id, string text) =>
        (string)(await silo.Http.PostAsync($"/v1/conversations/{id}/turns", Body(text)))["text"]!;

    private static string Body(string text) => new JsonObject
    {
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["options"] = new JsonObject { ["max_tokens"] = 12, ["temperature"] = 0 },
        ["mode"] = "append",
    }.ToJsonString();
}
