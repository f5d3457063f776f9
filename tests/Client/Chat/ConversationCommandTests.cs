using KvTiers.Cli.Tests.Http;
using KvTiers.Cli.Tests.Terminals;

namespace KvTiers.Cli.Tests.Chat;

/// <summary>The commands that choose a conversation, change its system prompt, and set options.</summary>
public class ConversationCommandTests
{
    private readonly EchoServer _server = new();

    [Fact]
    public async Task ConversationsAreListedAndTheCurrentOneIsMarked()
    {
        CliRun run = await ChatAsync("I am [Ada].\n/list\n");

        string changed = DateTimeOffset.Parse("2026-01-02T03:04:05Z").ToLocalTime().ToString("yyyy-MM-dd HH:mm");
        string[] lines = [.. run.Output.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains("id messages tokens changed begins with", lines);
        Assert.Contains($"* c1 2 1,234 {changed} I am [Ada].", lines);
        Assert.Contains($"another 0 1,234 {changed}", lines);
    }

    [Fact]
    public async Task AnotherConversationIsGoneOnIn()
    {
        await ChatAsync("one\n");

        CliRun run = await ChatAsync("/switch c1\ntwo\n", "--conversation", "c1");

        Assert.StartsWith("now in c1, at turn 1\n  1 user:      one\n    assistant: You said: one\n\nYou said: two\nturn 2: ", run.Output);
    }

    [Theory]
    [InlineData("/switch nowhere", "There is no conversation 'nowhere'.")]
    [InlineData("/switch", "Write /switch ID, with an id from /list.")]
    [InlineData("/switch a b", "id holds the character U+0020; only A–Z, a–z, 0–9, '.', '_', ':' and '-' may stand in it.")]
    [InlineData("/list some", "Write /list, or /list all.")]
    [InlineData("/clear", "Nothing has been said yet.")]
    [InlineData("/set temperature warm", "temperature is 'warm'; it must be a number from 0 to 2, or default.")]
    [InlineData("/set temperature 2.1", "temperature is '2.1'; it must be a number from 0 to 2, or default.")]
    [InlineData("/set top_p -0.1", "top_p is '-0.1'; it must be a number from 0 to 1, or default.")]
    [InlineData("/set top_k 1.5", "top_k is '1.5'; it must be a whole number, 0 (no limit) or more, or default.")]
    [InlineData("/set max_tokens 0", "max_tokens is '0'; it must be a whole number, 1 or more, or default.")]
    [InlineData("/set repetition_penalty 0", "repetition_penalty is '0'; it must be a number above 0 and at most 10, or default.")]
    [InlineData("/set seed x", "seed is 'x'; it must be a whole number, or default.")]
    [InlineData("/set stop []", "stop is '[]'; it must be a text that is not empty, or a JSON list of such texts, or default.")]
    [InlineData("/set stats maybe", "stats is 'maybe'; it must be on or off, or default.")]
    [InlineData("/set temperature", "Write /set OPTION VALUE, such as /set temperature 0.5; the value default leaves it to the server.")]
    public async Task WhatCannotBeDoneSaysItsRule(string line, string error)
    {
        CliRun run = await ChatAsync($"{line}\n");

        Assert.Equal((1, "", $"conversation c1\nerror: {error}\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task AnUnknownOptionIsRefusedWithThoseThatThereAre()
    {
        CliRun run = await ChatAsync("/set temprature 1\n");

        Assert.Contains("error: There is no option 'temprature'; there are temperature, top_p, top_k, ", run.Error);
    }

    [Fact]
    public async Task OptionsAreSentFromTheNextTurnOnAndGivenBack()
    {
        CliRun run = await ChatAsync(
            "/set temperature 0.5\n/set top_k 7\n/set stop [\"a\",\"\\n\"]\n/set seed -3\none\n/set temperature default\n/set stop Bye now\ntwo\n", "--set", "max_tokens=9");

        Assert.StartsWith("temperature is 0.5\n\ntop_k is 7\n\n", run.Output);
        Assert.Equal(
            [
                """{"max_tokens":9,"temperature":0.5,"top_k":7,"seed":-3,"stop":["a","\n"],"use_cache":true}""",
                """{"max_tokens":9,"top_k":7,"seed":-3,"stop":["Bye now"],"use_cache":true}""",
            ],
            Turns().Select(turn => turn.Body!["options"]!.ToJsonString()));
    }

    [Fact]
    public async Task SetAloneShowsWhatIsSetAndWhatMayBe()
    {
        CliRun run = await ChatAsync("/set\n", "--temperature", "0.5", "--set", "stats=off");

        string[] lines = [.. run.Output.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains("temperature 0.5 a number from 0 to 2", lines);
        Assert.Contains("top_p default a number from 0 to 1", lines);
        Assert.Contains("stats off on or off", lines);
    }

    [Fact]
    public async Task WithoutStatisticsOnlyAnswersAreWritten()
    {
        CliRun run = await ChatAsync("one\n/edit 1 two\n/set stats on\nthree\n", "--set", "stats=off");

        Assert.Equal(
            "You said: one\n\nmessage 1 replaced\nYou said: two\n\nstats is on\n\nYou said: three\nturn 2: 4 tokens cached, 1 computed, first token in 6 ms\n\n", run.Output);
    }

    [Fact]
    public async Task TheSystemPromptComesWithTheNextTurnAndStays()
    {
        CliRun run = await ChatAsync("/system\none\n/system Be brief.\n/system\ntwo\n/system Be long.\n/regenerate\nthree\n/new\n");

        Assert.StartsWith("there is no system prompt\n\nYou said: one\n", run.Output);
        Assert.Contains("the system prompt holds from the next message on\n\nBe brief.\n\nsystem prompt replaced: ", run.Output);
        FakeRequest[] turns = [.. Turns()];
        Assert.Equal(["append", "history", "history", "append"], turns.Select(turn => (string?)turn.Body!["mode"]));
        Assert.Equal(
            ["system:Be brief.", "user:one", "assistant:You said: one", "user:two"],
            turns[1].Body!["messages"]!.AsArray().Select(message => $"{message!["role"]}:{message["content"]}"));
        Assert.Equal(
            ["system:Be long.", "user:one", "assistant:You said: one", "user:two"],
            turns[2].Body!["messages"]!.AsArray().Select(message => $"{message!["role"]}:{message["content"]}"));
        Assert.Equal("Be long.", (string?)_server.Handler.Requests[^1].Body!["messages"]![0]!["content"]);
    }

    [Fact]
    public async Task ClearDropsAllButTheSystemPromptAndUndoBringsItBack()
    {
        CliRun run = await ChatAsync("one\n/clear\n/history\n/undo\n", "--system", "Be brief.");

        Assert.EndsWith(
            """
            cleared: 1 token kept, 9 invalidated; 1 block released

                system:    Be brief.

            undone, at turn 1: 2 tokens kept, 5 invalidated; 1 block released
              1 user:      one
                assistant: You said: one


            """,
            run.Output);
    }

    [Theory]
    [InlineData("/bye")]
    [InlineData("/quit")]
    [InlineData("/exit")]
    public async Task TheChatIsLeft(string line)
    {
        CliRun run = await ChatAsync($"one\n{line}\ntwo\n");

        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("two", run.Output);
    }

    [Fact]
    public async Task HelpListsEveryCommand()
    {
        CliRun run = await ChatAsync("/help\n");

        foreach (string command in (string[])["edit", "undo", "regenerate", "fork", "explain", "history", "clear", "system", "set", "list", "switch", "new", "help", "bye"])
            Assert.Contains($"/{command} ", run.Output);
        Assert.Contains("\"\"\"", run.Output);
    }

    [Fact]
    public async Task TheResumeHintNamesServerKeyAndOptionsInTheShellsQuotes()
    {
        var keys = new FakeKeys(80).Type("/set stop it's over\none\n/bye\n");

        CliRun run = await CliRun.WithAsync(
            _server.Handler, ["chat", "--url", "http://127.0.0.1:5081", "--api-key", "a-key-of-sixteen", "--temperature", "0"], keys: keys);

        Assert.EndsWith(
            "resume with: KVTIERS_API_KEY=\"${KVTIERS_API_KEY:?set it to the key of the server}\" kvtiers-cli chat --conversation c1 --url http://127.0.0.1:5081/ "
            + "--set temperature=0 --set 'stop=[\"it'\\''s over\"]'\n",
            run.Output);
    }

    [Fact]
    public async Task TabCompletesCommandsOptionsAndIds()
    {
        var keys = new FakeKeys(80).Type("one\n")
            .Type("/se").Press(ConsoleKey.Tab, '\t').Type("stat").Press(ConsoleKey.Tab, '\t').Type("of").Press(ConsoleKey.Tab, '\t').Type("\n")
            .Type("/sw").Press(ConsoleKey.Tab, '\t').Type("c").Press(ConsoleKey.Tab, '\t').Type("\n")
            .Type("/nothing").Press(ConsoleKey.Tab, '\t').Control(ConsoleKey.U).Type("/bye\n");

        CliRun run = await CliRun.WithAsync(_server.Handler, ["chat"], keys: keys);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("stats is off\n", run.Output);
        Assert.Contains("now in c1, at turn 1\n", run.Output);
    }

    private Task<CliRun> ChatAsync(string input, params string[] arguments) => CliRun.WithAsync(_server.Handler, ["chat", .. arguments], input);

    private IEnumerable<FakeRequest> Turns() => _server.Handler.Requests.Where(request => request.Path.EndsWith("/turns", StringComparison.Ordinal));
}
