using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>Turns whose answers call functions, in each form in which models write calls.</summary>
public sealed class ToolTurnTests(TinyModel model)
{
    private const string Arguments = "{\"city\": \"Ulm\"}";

    private static readonly ToolUse Weather = new()
    {
        Definitions =
        [
            new() { Name = "get_weather", Description = "Says what the weather is.", Parameters = "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}" },
            new() { Name = "now" },
        ],
        CallIdSeed = "seed",
    };

    /// <summary>The template's file, or none for one that knows no functions; and how a model of it calls.</summary>
    public static TheoryData<string, string> Formats => new()
    {
        { "", $"{{\"name\": \"get_weather\", \"arguments\": {Arguments}}}" },
        { "hermes", $"I look.\n<tool_call>\n{{\"name\": \"get_weather\", \"arguments\": {Arguments}}}\n</tool_call>" },
        { "llama3", $"{{\"name\": \"get_weather\", \"parameters\": {Arguments}}}" },
        { "mistral", $"[TOOL_CALLS] [{{\"name\": \"get_weather\", \"arguments\": {Arguments}}}]" },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task AResultOfACallComputesOnlyWhatIsNew(string template, string answer)
    {
        await using var host = new ConversationHost(model, template: Load(template));
        TakenTurn one = await Call(host, [new("user", "Is it warm in Ulm?")], answer);
        ToolCall call = Assert.Single(one.Completed.Message.ToolCalls!);
        Assert.Equal(("tool_calls", "get_weather", Arguments), (one.Completed.FinishReason, call.Name, call.Arguments));
        Assert.Equal(template == "hermes" ? "I look." : "", one.Completed.Message.Content);
        int[] log = await host.Log();

        // As a client sends it back: the arguments read and written again.
        ChatMessage[] history =
        [
            new("user", "Is it warm in Ulm?"),
            new("assistant", one.Completed.Message.Content) { ToolCalls = [call with { Arguments = "{\"city\":\"Ulm\"}" }] },
            new("tool", "21 degrees") { ToolCallId = call.Id },
        ];
        TakenTurn two = await host.History(history, options: new() { Tools = Weather });
        Assert.Null(two.Started.Edit);
        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);
        Assert.Equal(two.Usage.PromptTokens - two.Cached, two.Usage.ComputedTokens);
        Assert.Equal(log, (await host.Log())[..log.Length]);

        // And appended, as to a conversation that the host keeps.
        TakenTurn three = await host.Take("c", new() { Messages = [new("tool", "noon") { ToolCallId = "other" }], Options = new() { Tools = Weather } });
        Assert.Equal(two.Usage.PromptTokens + two.Usage.CompletionTokens - 1, three.Cached);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal((call, call.Id, "other"), (view.Messages[1].ToolCalls![0], view.Messages[2].ToolCallId, view.Messages[4].ToolCallId));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task CallsAreStoredAndFoundAgainByAnotherProcess(string template, string answer)
    {
        using var folder = new TemporaryFolder();
        var store = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        int[] log;
        ToolCall call;
        await using (var first = new ConversationHost(model, store, template: Load(template)))
        {
            call = (await Call(first, [new("user", "Is it warm in Ulm?")], answer)).Completed.Message.ToolCalls![0];
            log = await first.Log();
        }

        await using var second = new ConversationHost(model, store, template: Load(template));
        ConversationView view = await second.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(call, Assert.Single(view.Messages[1].ToolCalls!));
        TakenTurn two = await second.Take("c", new() { Messages = [new("tool", "21 degrees") { ToolCallId = call.Id }], Options = new() { Tools = Weather } });
        Assert.Null(two.Started.Edit);
        Assert.Equal(log, (await second.Log())[..log.Length]);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task OtherFunctionsChangeThePromptWhereTheyAreTold(string template, string answer)
    {
        await using var host = new ConversationHost(model, template: Load(template));
        TakenTurn one = await Call(host, [new("user", "Is it warm in Ulm?")], answer);
        ChatMessage[] history = [new("user", "Is it warm in Ulm?"), new("assistant", one.Completed.Message.Content) { ToolCalls = one.Completed.Message.ToolCalls }, new("tool", "21 degrees") { ToolCallId = "x" }];
        int[] former = await host.Log();

        ToolUse others = Weather with { Definitions = [Weather.Definitions[0], new() { Name = "later" }] };
        TakenTurn two = await host.History(history, options: new() { Tools = others });
        int[] now = await host.Log();
        int kept = former.AsSpan().CommonPrefixLength(now);
        Assert.InRange(kept, 1, one.Usage.PromptTokens - 1);
        Assert.Equal((kept, kept), (two.Started.Edit!.TokensKept, two.Cached));
        Assert.Contains("later", host.Engine.Tokenizer.Decode(now), StringComparison.Ordinal);
        Assert.DoesNotContain("now", host.Engine.Tokenizer.Decode(now[..host.Prompt.Encode(history[..1], false, others.Definitions).Ids.Length]), StringComparison.Ordinal);

        // The answer's tokens are still those that were generated.
        int[] generated = one.Ids[..^1];
        Assert.True(now.AsSpan().IndexOf(generated) > 0);

        TakenTurn none = await host.History(history);
        Assert.DoesNotContain("later", host.Engine.Tokenizer.Decode(await host.Log()), StringComparison.Ordinal);
        Assert.Equal(0, none.Completed.Message.ToolCalls?.Count ?? 0);
    }

    /// <summary>The model's weights are random, and it has never seen a call.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public async Task AnAnswerThatMustCallIsSoundCallsAndItsResultComputesOnlyWhatIsNew(string template, string answer)
    {
        ToolUse must = Weather with
        {
            Definitions = [Weather.Definitions[0] with { Parameters = """{"type":"object","properties":{"city":{"enum":["Ulm","Bonn"]}},"required":["city"],"additionalProperties":false}""" }, Weather.Definitions[1]],
            Choice = ToolChoice.Required,
        };
        Assert.NotEmpty(answer);
        await using var host = new ConversationHost(model, template: Load(template));
        for (int seed = 0; seed < 8; seed++)
        {
            ToolUse tools = seed % 2 == 0 ? must : must with { Allowed = ["get_weather"], ParallelCalls = false };
            ChatMessage question = new("user", $"Is it warm on day {seed}?");
            TakenTurn one = await host.History([question], $"c{seed}", new() { Tools = tools, Seed = seed, Temperature = 1, MaxTokens = 900, LogitBias = [.. host.Engine.Tokenizer.EndOfText.Select(id => new LogitBias(id, 2))] });
            MessageView message = one.Completed.Message;
            Assert.Equal(("tool_calls", ""), (one.Completed.FinishReason, message.Content));
            Assert.InRange(message.ToolCalls!.Count, 1, seed % 2 == 0 ? int.MaxValue : 1);
            Assert.All(message.ToolCalls, call => Assert.Contains(call.Name == "now" ? $"now {call.Arguments}" : call.Arguments, new[] { "now {}", "{\"city\":\"Ulm\"}", "{\"city\":\"Bonn\"}", "{\"city\": \"Ulm\"}", "{\"city\": \"Bonn\"}" }));

            ChatMessage called = new("assistant", "") { ToolCalls = message.ToolCalls };
            TakenTurn two = await host.History([question, called, .. message.ToolCalls.Select(call => new ChatMessage("tool", "21 degrees") { ToolCallId = call.Id })], $"c{seed}", new() { Tools = tools with { Choice = ToolChoice.Auto } });
            Assert.Null(two.Started.Edit);
            Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);
        }
    }

    [Fact]
    public async Task TheSameFunctionsAreNotToldAgainByAnEditOrAWarmUp()
    {
        await using var host = new ConversationHost(model);
        TakenTurn one = await Call(host, [new("system", "Be brief."), new("user", "Is it warm in Ulm?")], "It is.");
        Assert.Equal(("stop", "It is."), (one.Completed.FinishReason, one.Completed.Message.Content));
        int[] former = await host.Log();
        await host.Conversations.WarmAsync(ConversationHost.Key());
        EditReceipt edit = await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "Is it warm in Bonn?" });
        Assert.InRange(edit.TokensKept, host.Prompt.Encode([new("system", "Be brief.")], false, Weather.Definitions).Ids.Length, former.Length - 1);
        int[] log = await host.Log();
        Assert.Equal(former[..edit.TokensKept], log[..edit.TokensKept]);
    }

    [Fact]
    public async Task WhatMustNotCallIsText()
    {
        await using var host = new ConversationHost(model);
        const string Answer = "{\"name\": \"now\", \"arguments\": {}}";
        TakenTurn turn = await Call(host, [new("user", "When?")], Answer, Weather with { Choice = ToolChoice.None });
        Assert.Equal((Answer, "stop", null), (turn.Completed.Message.Content, turn.Completed.FinishReason, turn.Completed.Message.ToolCalls));
    }

    [Fact]
    public async Task ACallThatIsCutOffKeepsWhatThereIs()
    {
        await using var host = new ConversationHost(model);
        host.Model.Say(host.Engine.Tokenizer.Encode("{\"name\": \"now\", \"arguments\": {\"a\": \"long", addSpecial: false));
        int length = host.Engine.Tokenizer.Encode("{\"name\": \"now\", \"arguments\": {\"a\": \"long", addSpecial: false).Length;
        TakenTurn turn = await host.History([new("user", "When?")], options: new() { Tools = Weather, MaxTokens = length });
        Assert.Equal(("length", "{\"a\": \"long"), (turn.Completed.FinishReason, Assert.Single(turn.Completed.Message.ToolCalls!).Arguments));
    }

    [Fact]
    public async Task FunctionsAreChecked()
    {
        await using var host = new ConversationHost(model);
        async Task<string> Refusal(ToolUse tools) =>
            (await Assert.ThrowsAsync<ArgumentException>(() => host.History([new("user", "a")], options: new() { Tools = tools }))).Message;
        Assert.Contains("Definitions is a list of 0; it must be 1 to 256 functions", await Refusal(Weather with { Definitions = [] }), StringComparison.Ordinal);
        Assert.Contains("Definitions[1].Name is 'a b'; it must be", await Refusal(Weather with { Definitions = [new() { Name = "a" }, new() { Name = "a b" }] }), StringComparison.Ordinal);
        Assert.Contains("Definitions[1].Name is 'a' again", await Refusal(Weather with { Definitions = [new() { Name = "a" }, new() { Name = "a" }] }), StringComparison.Ordinal);
        Assert.Contains("Definitions[0].Parameters is no JSON object", await Refusal(Weather with { Definitions = [new() { Name = "a", Parameters = "[]" }] }), StringComparison.Ordinal);
        Assert.Contains("Allowed is holding 'b'", await Refusal(Weather with { Allowed = ["b"] }), StringComparison.Ordinal);
    }

    private async Task<TakenTurn> Call(ConversationHost host, IReadOnlyList<ChatMessage> messages, string answer, ToolUse? tools = null)
    {
        int[] tokens = [.. host.Engine.Tokenizer.Encode(answer, addSpecial: false), host.Engine.Tokenizer.EndOfText[0]];
        host.Model.Say(tokens);
        TakenTurn turn = await host.History(messages, options: new() { Tools = tools ?? Weather, MaxTokens = tokens.Length });
        Assert.Equal(tokens, turn.Ids);
        return turn;
    }

    private static ChatTemplate? Load(string name) =>
        name.Length == 0 ? null : ChatTemplate.Parse(File.ReadAllText(Repository.PathOf("tests", "Golden", "tool_templates", name + ".jinja")), new Dictionary<string, string> { ["eos_token"] = "<|im_end|>" });
}
