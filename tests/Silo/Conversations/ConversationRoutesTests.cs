using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Silo.Tests.Conversations;

[Collection(SiloCollection.Name)]
public sealed class ConversationRoutesTests(SharedSilo silo)
{
    private const string Root = "/v1/conversations";

    [Fact]
    public async Task AConversationIsCreatedTakesATurnAndIsRead()
    {
        JsonObject created = await silo.Http.SendJsonAsync(HttpMethod.Post, Root, """{"id":"walk","messages":[{"role":"system","content":"Be kind."}]}""", HttpStatusCode.Created);
        JsonObject turn = await silo.Http.PostAsync($"{Root}/walk/turns", """{"messages":[{"role":"user","content":"Hello"}],"options":{"max_tokens":5,"temperature":0}}""");
        JsonObject read = await silo.Http.GetJsonAsync($"{Root}/walk");

        Assert.Equal("walk", (string)created["id"]!);
        Assert.Equal("tiny", (string)created["model"]!);
        Assert.Equal((long)read["version"]!, (long)turn["version"]!);
        Assert.Equal(["system", "user", "assistant"], read["messages"]!.AsArray().Select(message => (string)message!["role"]!));
        Assert.Equal((string)turn["text"]!, (string)read["messages"]![2]!["content"]!);
        Assert.Equal((string)turn["text"]!, (string)turn["message"]!["content"]!);
        Assert.Contains((string)turn["finish_reason"]!, new[] { "stop", "length" });
        Assert.Equal("walk", (string)turn["kvtiers"]!["conversation"]!);
        Assert.True((int)turn["usage"]!["prompt_tokens"]! > 0);
    }

    [Fact]
    public async Task ATurnsEventsAreStreamedAndEndWithDone()
    {
        await silo.Http.SendJsonAsync(HttpMethod.Post, Root, """{"id":"events"}""", HttpStatusCode.Created);
        List<string> data = await silo.Http.StreamAsync($"{Root}/events/turns", """{"messages":[{"role":"user","content":"Hi"}],"options":{"max_tokens":4},"stream":true}""").ToListAsync();

        Assert.Equal("[DONE]", data[^1]);
        string[] types = [.. data[..^1].Select(item => (string)JsonNode.Parse(item)!["type"]!)];
        Assert.Equal("started", types[0]);
        Assert.Equal("completed", types[^1]);
        Assert.All(types[1..^1], type => Assert.Equal("token", type));
        Assert.InRange(types.Length, 3, 6);
    }

    [Fact]
    public async Task EveryVerbWorksThroughTheClient()
    {
        var conversations = new HttpConversations(silo.Http, new KvTiersClientOptions { BaseAddress = silo.Http.BaseAddress!, Tenant = "default" });
        var options = new GenerationOptions { MaxTokens = 5, Temperature = 0 };
        ConversationView made = await conversations.CreateAsync("default", new CreateConversation { Messages = [new("system", "Be kind.")] });
        var key = new ConversationKey("default", made.Id);

        List<TurnEvent> events = await conversations.TurnAsync(key, new TurnRequest { Messages = [new("user", "I like tea and long walks by the sea.")], Options = options }).ToListAsync();
        TurnCompleted first = Assert.IsType<TurnCompleted>(events[^1]);
        Assert.IsType<TurnStarted>(events[0]);
        EditReceipt edit = await conversations.EditAsync(key, new EditRequest { Index = 1, Content = "I like tea and short naps in the sun.", DropLater = true });
        Assert.True(edit.TokensKept > 0 && edit.TokensInvalidated > 0);
        EditReceipt undone = await conversations.UndoAsync(key);
        Assert.True(undone.Version > edit.Version);
        Assert.Equal(first.Message.Content, (await conversations.GetAsync(key)).Messages[2].Content);

        TurnCompleted again = Assert.IsType<TurnCompleted>((await conversations.RegenerateAsync(key, options).ToListAsync())[^1]);
        Assert.Equal(first.Message.Content, again.Message.Content);
        ConversationView fork = await conversations.ForkAsync(key, new ForkRequest { At = 2 });
        Assert.Equal(made.Id, fork.ForkedFrom);
        Assert.Equal(2, fork.Messages.Count);
        WarmReceipt warm = await conversations.WarmAsync(key);
        Assert.True(warm.Tokens > 0);
        PinReceipt pin = await conversations.PinAsync(key, TimeSpan.FromMinutes(5));
        Assert.True(pin.Blocks > 0);
        await conversations.UnpinAsync(key);
        Explanation why = await conversations.ExplainAsync(key);
        Assert.NotEmpty(why.Text);
        EditReceipt cut = await conversations.TruncateAsync(key, 1);
        Assert.True(cut.TokensInvalidated > 0);
        Assert.Contains(await conversations.ListAsync("default"), summary => summary.Id == made.Id);
        DeleteReceipt deleted = await conversations.DeleteAsync(key);
        Assert.Equal("hot", Assert.Single(deleted.Tiers).Tier);
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => conversations.GetAsync(key));
    }

    [Fact]
    public async Task ConflictsAre409()
    {
        await silo.Http.SendJsonAsync(HttpMethod.Post, Root, """{"id":"taken"}""", HttpStatusCode.Created);
        JsonObject again = await silo.Http.SendJsonAsync(HttpMethod.Post, Root, """{"id":"taken"}""", HttpStatusCode.Conflict);
        JsonObject stale = await silo.Http.PostAsync(
            $"{Root}/taken/turns", """{"messages":[{"role":"user","content":"x"}],"expected_version":99,"stream":true}""", HttpStatusCode.Conflict);

        Assert.Equal("conversation_conflict", (string)again["error"]!["code"]!);
        Assert.Equal("conversation_conflict", (string)stale["error"]!["code"]!);
    }

    [Theory]
    [InlineData("POST", "", """{"id":"a b"}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "", """{"id":5}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "", """{"messages":[{"role":"user"}]}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/turns", """{"messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound)]
    [InlineData("POST", "/nobody/turns", "{}", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/turns", """{"messages":[]}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/turns", """{"messages":[{"role":"user","content":"x"}],"mode":"sideways"}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/undo", null, HttpStatusCode.NotFound)]
    [InlineData("POST", "/nobody/warm", null, HttpStatusCode.NotFound)]
    [InlineData("POST", "/nobody/pin", """{"ttl_seconds":-1}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/pin", """{"ttl_seconds":1e300}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/nobody/fork", """{"at":1}""", HttpStatusCode.NotFound)]
    [InlineData("GET", "/nobody/explain", null, HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/nobody", null, HttpStatusCode.NotFound)]
    [InlineData("PATCH", "/nobody/messages/0", """{"content":"x"}""", HttpStatusCode.NotFound)]
    [InlineData("PATCH", "/nobody/messages/0", "{}", HttpStatusCode.BadRequest)]
    [InlineData("PATCH", "/nobody/messages/first", """{"content":"x"}""", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/nobody/messages/0", null, HttpStatusCode.NotFound)]
    public async Task BadCallsAreRefused(string method, string path, string? body, HttpStatusCode status)
    {
        JsonObject error = await silo.Http.SendJsonAsync(new HttpMethod(method), Root + path, body, status);

        string message = (string)error["error"]!["message"]!;
        Assert.NotEmpty(message);
        Assert.DoesNotContain("KvTiers.", message);
        Assert.DoesNotContain("System.", message);
    }

    [Fact]
    public async Task ABadCallChangesNothing()
    {
        JsonObject made = await silo.Http.SendJsonAsync(HttpMethod.Post, Root, """{"messages":[{"role":"user","content":"only one"}]}""", HttpStatusCode.Created);
        string path = $"{Root}/{(string)made["id"]!}";
        await silo.Http.SendJsonAsync(HttpMethod.Patch, path + "/messages/1", """{"content":"x"}""", HttpStatusCode.BadRequest);
        JsonObject hot = await silo.Http.PostAsync(path + "/turns", """{"messages":[{"role":"user","content":"x"}],"options":{"temperature":5},"stream":true}""", HttpStatusCode.BadRequest);
        Assert.Equal("temperature", (string)hot["error"]!["param"]!);

        Assert.Equal((long)made["version"]!, (long)(await silo.Http.GetJsonAsync(path))["version"]!);
    }
}
