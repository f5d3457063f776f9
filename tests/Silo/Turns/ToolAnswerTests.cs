using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Tests.Turns;

[Collection(SiloCollection.Name)]
public sealed class ToolAnswerTests(SharedSilo silo)
{
    private static readonly ToolUse Tools = new() { Definitions = [new() { Name = "now" }, new() { Name = "later" }], CallIdSeed = "seed" };
    private static readonly TurnUsage Usage = new() { PromptTokens = 1, CompletionTokens = 1, Cached = new(), ComputedTokens = 1, InvalidatedTokens = 0, TtftMs = 1, TotalMs = 1 };

    [Fact]
    public async Task EveryTokenComesWithTheTextThatIsNoCallAndCallsFollowIt()
    {
        List<AnswerEvent> events = await Read(Tools, [
            Token(0, " {\"name\": "), Token(0, "\"now\", \"arguments\": {"), Token(0, "\"a\": 1}"), Token(0, "}\n{\"name\": \"later\", \"arguments\": {}} and text"),
            End("stop")]);
        Assert.Equal(4, events.OfType<AnswerToken>().Count());
        AnswerToolCall[] calls = [.. events.OfType<AnswerToolCall>()];
        Assert.Equal([(0, 0, "now"), (0, 1, "later")], calls.Select(call => (call.Choice, call.Index, call.Name)));
        Assert.Equal(2, calls.Select(call => call.Id).Distinct().Count());
        Assert.Equal(["{", "\"a\": 1}", "{}"], events.OfType<AnswerToolArguments>().Select(piece => piece.Text));
        Assert.Equal("and text", TextOf(events, 0));
        Assert.True(events.IndexOf(calls[0]) < events.IndexOf(events.OfType<AnswerToolArguments>().First()));
        Assert.Equal(["tool_calls"], Assert.IsType<AnswerEnd>(events[^1]).FinishReasons);

        var gathered = new GatheredAnswer();
        foreach (AnswerEvent one in events) GatheredAnswer.Add([gathered], one);
        Assert.Equal("and text", gathered.Text);
        Assert.Equal([new(calls[0].Id, "now", "{\"a\": 1}"), new(calls[1].Id, "later", "{}")], gathered.Calls);
    }

    [Fact]
    public async Task WhatMightHaveBeenACallIsTextAtTheEnd()
    {
        List<AnswerEvent> events = await Read(Tools, [Token(0, "{\"name\": \"now\","), End("length")]);
        Assert.Equal("", events.OfType<AnswerToken>().Single().Text);
        Assert.Equal(new AnswerText(0, "{\"name\": \"now\","), events[1]);
        Assert.Equal(["length"], Assert.IsType<AnswerEnd>(events[^1]).FinishReasons);
    }

    [Fact]
    public async Task AnswersSideBySideAreReadApart()
    {
        List<AnswerEvent> events = await Read(
            Tools, [Token(0, "{\"name\": \"now\","), Token(1, "It is"), Token(0, " \"arguments\": {}}"), Token(1, " noon."), Token(2, "{\"name\": \"now\", \"arguments\": {}}"), End("stop", "stop", "stop")], choices: 3);
        Assert.Equal([0, 2], events.OfType<AnswerToolCall>().Select(call => call.Choice));
        Assert.Equal(2, events.OfType<AnswerToolCall>().Select(call => call.Id).Distinct().Count());
        Assert.Equal("It is noon.", TextOf(events, 1));
        Assert.Equal(["tool_calls", "stop", "tool_calls"], Assert.IsType<AnswerEnd>(events[^1]).FinishReasons);
    }

    [Fact]
    public async Task TheIdsAreThoseThatTheConversationStores()
    {
        List<AnswerEvent> events = await Read(Tools, [Token(0, "{\"name\": \"now\", \"arguments\": {}}"), End("stop")]);
        ToolCallReader reader = silo.Model.Chat.ReaderFor(Tools)!;
        reader.Append(5, "{\"name\": \"now\", \"arguments\": {}}");
        reader.Complete();
        Assert.Equal(reader.Calls[0].Id, events.OfType<AnswerToolCall>().Single().Id);
        Assert.NotEqual(ToolAnswer.WithIds(Tools).CallIdSeed, ToolAnswer.WithIds(Tools).CallIdSeed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WithoutFunctionsNothingIsChanged(bool none)
    {
        AnswerEvent[] answer = [Token(0, "{\"name\": \"now\", \"arguments\": {}}"), End("stop")];
        Assert.Equal(answer, await Read(none ? Tools with { Choice = ToolChoice.None } : null, answer));
    }

    private async Task<List<AnswerEvent>> Read(ToolUse? tools, AnswerEvent[] answer, int choices = 1) =>
        await ToolAnswer.Read(answer.ToAsyncEnumerable(), silo.Model.Chat, tools, choices).ToListAsync();

    private static AnswerToken Token(int choice, string text) => new(choice, 5, text, null);

    private static AnswerEnd End(params string[] reasons) => new(reasons, Usage, null);

    private static string TextOf(IEnumerable<AnswerEvent> events, int choice) =>
        string.Concat(events.Select(one => one is AnswerToken token && token.Choice == choice ? token.Text : one is AnswerText text && text.Choice == choice ? text.Text : ""));
}
