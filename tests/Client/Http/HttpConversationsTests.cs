using System.Net;
using System.Text;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Tests.Http;

public class HttpConversationsTests
{
    private const string Started = """{"type":"started","conversation":"c1","prompt_tokens":101,"edit":{"version":3,"tokens_kept":12,"tokens_invalidated":75,"blocks_released":4,"blocks_shared":1,"bytes_freed":{"hot":8192}}}""";
    private const string Completed = """{"type":"completed","conversation":"c1","version":4,"message":{"index":1,"role":"assistant","content":"Hi.","token_start":5,"token_count":4},"finish_reason":"stop","usage":{"prompt_tokens":101,"completion_tokens":2,"cached":{"hot":80,"ram":7,"disk":0,"redis":0,"total":87},"computed_tokens":14,"invalidated_tokens":75,"ttft_ms":6.25,"total_ms":9.5}}""";
    private const string View = """{"id":"c1","version":1,"model":"demo","messages":[{"index":0,"role":"system","content":"Be brief.","token_start":0,"token_count":9}],"token_count":9,"created_at":"2026-01-02T03:04:05+00:00","updated_at":"2026-01-02T03:04:05+00:00","undo_depth":0}""";
    private const string Receipt = """{"version":7,"tokens_kept":1,"tokens_invalidated":2,"blocks_released":3,"blocks_shared":4,"bytes_freed":{}}""";

    private static readonly ConversationKey Key = new("default", "c1");
    private static readonly TurnRequest Hello = new() { Messages = [new ChatMessage("user", "Hello")], ExpectedVersion = 3 };

    [Fact]
    public async Task ATurnIsReadEventByEvent()
    {
        var server = new FakeServer(_ => FakeServer.Events(
            Started, """{"type":"token","token_id":7,"text":"H"}""", """{"token_id":8,"text":"i.","type":"token"}""", Completed, "[DONE]"));

        List<TurnEvent> events = await ToListAsync(Over(server).TurnAsync(Key, Hello));

        var started = Assert.IsType<TurnStarted>(events[0]);
        Assert.Equal(75, started.Edit!.TokensInvalidated);
        Assert.Equal(8192, started.Edit.BytesFreed["hot"]);
        Assert.Equal(["H", "i."], events.OfType<TurnToken>().Select(token => token.Text));
        var completed = Assert.IsType<TurnCompleted>(events[3]);
        Assert.Equal((87, 80, 7), (completed.Usage.Cached.Total, completed.Usage.Cached.Hot, completed.Usage.Cached.Ram));
        Assert.Equal(4, completed.Version);
        FakeRequest request = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/v1/conversations/c1/turns"), (request.Method, request.Path));
        Assert.Equal(
            """{"mode":"append","messages":[{"role":"user","content":"Hello"}],"options":{"use_cache":true},"expected_version":3,"stream":true}""",
            request.Body!.ToJsonString());
    }

    [Fact]
    public async Task RegenerationSendsItsOptions()
    {
        var server = new FakeServer(_ => FakeServer.Events(Completed, "[DONE]"));

        await ToListAsync(Over(server).RegenerateAsync(Key, new GenerationOptions { Seed = 5, MaxTokens = 9 }));

        FakeRequest request = Assert.Single(server.Requests);
        Assert.Equal("/v1/conversations/c1/regenerate", request.Path);
        Assert.Equal("""{"options":{"max_tokens":9,"seed":5,"use_cache":true},"stream":true}""", request.Body!.ToJsonString());
    }

    [Fact]
    public async Task EachCallHasItsRoute()
    {
        var server = new FakeServer(request => FakeServer.Json(request switch
        {
            { Path: "/v1/conversations", Method: "GET" } => """{"object":"list","data":[],"has_more":false}""",
            { Path: "/v1/conversations" or "/v1/conversations/c1/fork" } or { Method: "GET", Path: "/v1/conversations/c1" } => View,
            { Path: "/v1/conversations/c1/warm" } => """{"conversation":"c1","tokens":9,"cached_tokens":4,"computed_tokens":5,"total_ms":1.5}""",
            { Path: "/v1/conversations/c1/pin" } => """{"conversation":"c1","version":2,"pinned_until":"2026-01-02T03:04:05+00:00","tokens":9,"blocks":1}""",
            { Path: "/v1/conversations/c1/explain" } => """{"conversation":"c1","version":2,"reason":"first_turn","prompt_tokens":3,"cached_tokens":0,"computed_tokens":3,"cost_tokens":0,"cost_seconds":0,"text":"The first turn."}""",
            { Method: "DELETE", Path: "/v1/conversations/c1" } => """{"conversation":"c1","tiers":[{"tier":"hot","blocks":2,"bytes":512}],"blocks_shared":1}""",
            _ => Receipt,
        }));
        HttpConversations conversations = Over(server);

        Assert.Equal("demo", (await conversations.CreateAsync("default", new CreateConversation { Id = "c1" })).Model);
        Assert.Equal("Be brief.", (await conversations.GetAsync(Key)).Messages[0].Content);
        Assert.Empty(await conversations.ListAsync("default"));
        Assert.Equal(7, (await conversations.EditAsync(Key, new EditRequest { Index = 2, Content = "New", DropLater = true, ExpectedVersion = 6 })).Version);
        Assert.Equal(2, (await conversations.TruncateAsync(Key, 5)).TokensInvalidated);
        Assert.Equal("c1", (await conversations.ForkAsync(Key, new ForkRequest { At = 2 })).Id);
        Assert.Equal(4, (await conversations.UndoAsync(Key)).BlocksShared);
        Assert.Equal(5, (await conversations.WarmAsync(Key)).ComputedTokens);
        Assert.Equal(1, (await conversations.PinAsync(Key, TimeSpan.FromMinutes(2))).Blocks);
        await conversations.UnpinAsync(Key);
        Assert.Equal(ExplanationReason.FirstTurn, (await conversations.ExplainAsync(Key)).Reason);
        Assert.Equal(512, (await conversations.DeleteAsync(Key)).Tiers[0].Bytes);

        Assert.Equal(
            [
                "POST /v1/conversations {\"id\":\"c1\"}",
                "GET /v1/conversations/c1 ",
                "GET /v1/conversations ",
                "PATCH /v1/conversations/c1/messages/2 {\"content\":\"New\",\"drop_later\":true,\"expected_version\":6}",
                "DELETE /v1/conversations/c1/messages/5 ",
                "POST /v1/conversations/c1/fork {\"at\":2}",
                "POST /v1/conversations/c1/undo ",
                "POST /v1/conversations/c1/warm ",
                "POST /v1/conversations/c1/pin {\"ttl_seconds\":120}",
                "POST /v1/conversations/c1/unpin ",
                "GET /v1/conversations/c1/explain ",
                "DELETE /v1/conversations/c1 ",
            ],
            server.Requests.Select(request => $"{request.Method} {request.Path} {request.Body?.ToJsonString()}"));
    }

    [Fact]
    public async Task ErrorsBecomeTheExceptionsThatTheSameCallThrowsInProcess()
    {
        HttpConversations Failing(HttpStatusCode status, string message, string type, string? code = null, string? param = null) =>
            Over(new FakeServer(_ => FakeServer.Error(status, message, type, code, param)));

        var missing = await Assert.ThrowsAsync<ConversationNotFoundException>(
            () => Failing(HttpStatusCode.NotFound, "There is no conversation 'c1'.", "invalid_request_error", "conversation_not_found").GetAsync(Key));
        Assert.Equal(Key, missing.Key);

        var conflict = await Assert.ThrowsAsync<ConversationConflictException>(
            () => Failing(HttpStatusCode.Conflict, "It stands at version 9.", "invalid_request_error", "conversation_conflict")
                .EditAsync(Key, new EditRequest { Index = 0, Content = "x", ExpectedVersion = 8 }));
        Assert.Equal(("It stands at version 9.", 8), (conflict.Message, conflict.ExpectedVersion));

        var original = new ConversationDamagedException("data/c1.log", "record 3 is cut off: 'x' is damaged");
        var damaged = await Assert.ThrowsAsync<ConversationDamagedException>(
            () => Failing(HttpStatusCode.InternalServerError, original.Message, "server_error", "conversation_damaged").GetAsync(Key));
        Assert.Equal((original.Path, original.Reason, original.Message), (damaged.Path, damaged.Reason, damaged.Message));

        var argument = await Assert.ThrowsAsync<ArgumentException>(
            () => ToListAsync(Failing(HttpStatusCode.BadRequest, "temperature is 3; it must be 0 to 2.", "invalid_request_error", null, "temperature")
                .TurnAsync(Key, Hello)));
        Assert.Equal("temperature", argument.ParamName);

        var busy = await Assert.ThrowsAsync<KvTiersServerException>(
            () => Failing(HttpStatusCode.TooManyRequests, "Busy.", "rate_limit_error", "busy").UndoAsync(Key));
        Assert.Equal((HttpStatusCode.TooManyRequests, "busy", "rate_limit_error"), (busy.StatusCode, busy.Code, busy.Type));
    }

    [Fact]
    public async Task AnErrorThatIsNoJsonSaysItsStatus()
    {
        var server = new FakeServer(_ => new HttpResponseMessage(HttpStatusCode.BadGateway) { Content = new StringContent("<html>") });

        var exception = await Assert.ThrowsAsync<KvTiersServerException>(() => Over(server).GetAsync(Key));

        Assert.Equal("The server answered 502 Bad Gateway.", exception.Message);
    }

    [Fact]
    public async Task AnErrorInsideAStreamIsThrownAfterTheEventsBeforeIt()
    {
        var server = new FakeServer(_ => FakeServer.Events(
            Started, """{"error":{"message":"The server is shutting down.","type":"server_error","param":null,"code":"shutting_down"}}"""));
        List<TurnEvent> seen = [];

        var exception = await Assert.ThrowsAsync<KvTiersServerException>(async () =>
        {
            await foreach (TurnEvent turnEvent in Over(server).TurnAsync(Key, Hello))
                seen.Add(turnEvent);
        });

        Assert.Equal("shutting_down", exception.Code);
        Assert.Single(seen);
    }

    [Fact]
    public async Task AStreamThatEndsEarlyIsNoAnswer()
    {
        var server = new FakeServer(_ => FakeServer.Events(Started));

        var exception = await Assert.ThrowsAsync<KvTiersServerException>(() => ToListAsync(Over(server).TurnAsync(Key, Hello)));

        Assert.Equal("The answer broke off before its end.", exception.Message);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"type":"never heard of"}""")]
    [InlineData("""{"type":"token"}""")]
    [InlineData("null")]
    public async Task AnEventThatCannotBeReadIsAnError(string data)
    {
        var server = new FakeServer(_ => FakeServer.Events(data, "[DONE]"));

        await Assert.ThrowsAsync<KvTiersServerException>(() => ToListAsync(Over(server).TurnAsync(Key, Hello)));
    }

    [Fact]
    public async Task CancellingStopsAStreamThatIsSilent()
    {
        var server = new FakeServer(_ => FakeServer.Stream(new SilentStream(Encoding.UTF8.GetBytes($"data: {Started}\n\n"))));
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (TurnEvent _ in Over(server).TurnAsync(Key, Hello, cancel.Token))
                await cancel.CancelAsync();
        });
    }

    [Fact]
    public async Task SilencePastTheLimitIsATimeout()
    {
        var server = new FakeServer(_ => FakeServer.Stream(new SilentStream(Encoding.UTF8.GetBytes($"data: {Started}\n\n"))));
        var options = new KvTiersClientOptions { SilenceLimit = TimeSpan.FromSeconds(20) };
        var time = new ManualTime();
        await using IAsyncEnumerator<TurnEvent> events = new HttpConversations(server.NewClient(), options, time).TurnAsync(Key, Hello).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());

        Task next = events.MoveNextAsync().AsTask();
        await time.UntilAwaitedAsync(options.SilenceLimit);
        time.Advance(options.SilenceLimit);

        Assert.Equal("The server sent nothing for 20 s.", (await Assert.ThrowsAsync<TimeoutException>(() => next)).Message);
    }

    [Fact]
    public async Task ACallerThatTakesItsTimeForAnEventIsNoSilenceOfTheServer()
    {
        var server = new FakeServer(_ => FakeServer.Events(Started, Completed, "[DONE]"));
        var options = new KvTiersClientOptions { SilenceLimit = TimeSpan.FromSeconds(20) };
        var time = new ManualTime();
        int events = 0;

        await foreach (TurnEvent _ in new HttpConversations(server.NewClient(), options, time).TurnAsync(Key, Hello))
        {
            events++;
            time.Advance(2 * options.SilenceLimit);
        }

        Assert.Equal(2, events);
    }

    [Fact]
    public async Task AServerThatNeverAnswersIsATimeout()
    {
        var server = new FakeServer(async (_, cancellationToken) =>
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        });
        var options = new KvTiersClientOptions { SilenceLimit = TimeSpan.FromSeconds(20) };
        var time = new ManualTime();

        Task getting = new HttpConversations(server.NewClient(), options, time).GetAsync(Key);
        await time.UntilAwaitedAsync(options.SilenceLimit);
        time.Advance(options.SilenceLimit);

        await Assert.ThrowsAsync<TimeoutException>(() => getting);
    }

    [Fact]
    public async Task AnotherTenantIsRefusedWithoutARequest()
    {
        var server = new FakeServer(_ => FakeServer.Json(View));

        await Assert.ThrowsAsync<ArgumentException>(() => Over(server).GetAsync(new ConversationKey("other", "c1")));
        await Assert.ThrowsAsync<ArgumentException>(() => Over(server).ListAsync("other"));

        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("a:b.c-d_E", "/v1/conversations/a%3Ab.c-d_E")]
    [InlineData("...", "/v1/conversations/...")]
    public async Task AnIdIsOneStepOfThePath(string id, string path)
    {
        var server = new FakeServer(_ => FakeServer.Json(View));

        await Over(server).GetAsync(new ConversationKey("default", id));

        Assert.Equal(path, Assert.Single(server.Requests).Path);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public async Task AnIdThatWouldClimbInThePathIsRefused(string id) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Over(new FakeServer(_ => FakeServer.Json(View))).GetAsync(new ConversationKey("default", id)));

    [Fact]
    public async Task ApiKeyAndPathOfTheBaseAddressAreSent()
    {
        var server = new FakeServer(_ => FakeServer.Json(View));
        var options = new KvTiersClientOptions { BaseAddress = new Uri("https://example.org/kv"), ApiKey = "secret-key" };

        await new HttpConversations(server.NewClient(), options).GetAsync(Key);

        FakeRequest request = Assert.Single(server.Requests);
        Assert.Equal(("/kv/v1/conversations/c1", "Bearer secret-key"), (request.Path, request.Authorization));
    }

    private static HttpConversations Over(FakeServer server) => new(server.NewClient(), new KvTiersClientOptions());

    private static async Task<List<TurnEvent>> ToListAsync(IAsyncEnumerable<TurnEvent> events) => await events.ToListAsync();
}
