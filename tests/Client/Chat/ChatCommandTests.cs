using KvTiers.Cli.Tests.Http;
using KvTiers.Cli.Tests.Terminals;
using KvTiers.Tests.Shared;

namespace KvTiers.Cli.Tests.Chat;

public class ChatCommandTests
{
    private readonly EchoServer _server = new();

    [Fact]
    public async Task PipedLinesAreAnsweredInPlainText()
    {
        CliRun run = await ChatAsync("I am Ada.\n\n  Who am I?\n");

        Assert.Equal(
            """
            You said: I am Ada.
            turn 1: 0 tokens cached, 3 computed, first token in 6 ms

            You said: Who am I?
            turn 2: 8 tokens cached, 3 computed, first token in 6 ms


            """,
            run.Output);
        Assert.Equal((0, "conversation c1\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task AnEditAnswersAgainAndSaysWhatItInvalidated()
    {
        CliRun run = await ChatAsync("", "--message", "I am Ada.", "--message", "Who am I?", "--message", "/edit 1 I am Bob.", "--message", "/history");

        Assert.EndsWith(
            """
            message 1 replaced: 2 tokens kept, 14 invalidated; 1 block released
            You said: I am Bob.
            turn 1: 2 tokens cached, 1 computed, first token in 6 ms

              1 user:      I am Bob.
                assistant: You said: I am Bob.


            """,
            run.Output);
        Assert.Equal("history", (string?)_server.Handler.Requests[^1].Body!["mode"]);
    }

    [Fact]
    public async Task UndoRegenerateForkAndExplainSayWhatTheyDid()
    {
        CliRun run = await ChatAsync("one\n/regenerate\n/explain\ntwo\n/undo\n/fork\n/undo\n");

        Assert.Equal(
            """
            You said: one
            turn 1: 0 tokens cached, 1 computed, first token in 6 ms

            answer dropped: 1 token kept, 3 invalidated; 1 block released
            You said: one
            turn 1: 0 tokens cached, 1 computed, first token in 6 ms

            Everything known was found.

            You said: two
            turn 2: 4 tokens cached, 1 computed, first token in 6 ms

            undone, at turn 1: 2 tokens kept, 5 invalidated; 1 block released
              1 user:      one
                assistant: You said: one

            now in c2, a fork of c1, at turn 1

            undone, at turn 1: 2 tokens kept, 5 invalidated; 1 block released
              1 user:      one
                assistant: You said: one


            """,
            run.Output);
    }

    [Fact]
    public async Task AForkKeepsTheFirstTurns()
    {
        CliRun run = await ChatAsync("one\ntwo\nthree\n/fork 2\n", "--system", "Be brief.");

        Assert.EndsWith("now in c2, a fork of c1, at turn 2\n\n", run.Output);
        Assert.Equal(5, (int?)_server.Handler.Requests[^1].Body!["at"]);
    }

    [Fact]
    public async Task TheSystemPromptAndTheOptionsAreSent()
    {
        await ChatAsync("Hello\n", "--system", "Be brief.", "--temperature", "0.5", "--max-tokens", "7", "--seed", "3");

        Assert.Equal("""{"messages":[{"role":"system","content":"Be brief."}]}""", _server.Handler.Requests[1].Body!.ToJsonString());
        Assert.Equal(
            """{"max_tokens":7,"temperature":0.5,"seed":3,"use_cache":true}""", _server.Handler.Requests[2].Body!["options"]!.ToJsonString());
    }

    [Fact]
    public async Task AMessageMayBeginWithAnAtSignOrASlash()
    {
        CliRun run = await ChatAsync("", "--message", "@file", "--message", "//help");

        Assert.Contains("You said: @file\n", run.Output);
        Assert.Contains("You said: /help\n", run.Output);
    }

    [Fact]
    public async Task AConversationIsResumed()
    {
        await ChatAsync("one\n");

        CliRun run = await ChatAsync("/history\n", "--conversation", "c1");

        Assert.Equal("  1 user:      one\n    assistant: You said: one\n\n", run.Output);
    }

    [Theory]
    [InlineData("boom", "error: boom cannot be said.\n")]
    [InlineData("/edit 3 text", "error: There is no message 3; /history shows 1 to 1.\n")]
    [InlineData("/edit text", "error: Write /edit N text, with the number of one of your messages from /history.\n")]
    [InlineData("/nothing", "error: There is no command /nothing; /help lists them, and a message that begins with a slash takes two.\n")]
    public async Task TheFirstFailureOfAPipeIsOneLineAndExitCode1(string line, string error)
    {
        CliRun run = await ChatAsync($"one\n{line}\ntwo\n");

        Assert.Equal((1, "conversation c1\n" + error), (run.ExitCode, run.Error));
        Assert.DoesNotContain("two", run.Output);
    }

    [Fact]
    public async Task AnUnknownConversationIsOneLineAndExitCode1()
    {
        CliRun run = await ChatAsync("one\n", "--conversation", "nowhere");

        Assert.Equal((1, "", "error: There is no conversation 'nowhere'.\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("--url", "ftp://x")]
    [InlineData("--temperature", "warm")]
    [InlineData("--unknown", "x")]
    [InlineData("--set", "top_p")]
    [InlineData("--set", "top_p=2")]
    [InlineData("--wait", "0")]
    [InlineData("--message")]
    public async Task WrongUsageIsExitCode2(params string[] arguments)
    {
        CliRun run = await ChatAsync("", arguments);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("error: ", run.Error);
        Assert.EndsWith(" chat --help\n", run.Error);
        Assert.Empty(_server.Handler.Requests);
    }

    [Fact]
    public async Task ASystemPromptOfAnOldConversationIsWrongUsage()
    {
        CliRun run = await ChatAsync("", "--conversation", "c1", "--system", "Be brief.");

        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public async Task AnInterruptionOfAPipeIsExitCode130()
    {
        _server.Hangs = true;
        using var interrupted = new CancellationTokenSource();
        Task<CliRun> running = CliRun.WithAsync(_server.Handler, ["chat", "--message", "one"], cancellationToken: interrupted.Token);
        await _server.Hanging.Task.WaitAsync(HangLimit.Time);

        await interrupted.CancelAsync();

        CliRun run = await running.WaitAsync(HangLimit.Time);
        Assert.Equal(130, run.ExitCode);
        Assert.DoesNotContain("error", run.Error);
    }

    [Fact]
    public async Task AtATerminalFailuresAreReportedAndTheChatGoesOn()
    {
        var keys = new FakeKeys(80).Type("boom\none\n").Control(ConsoleKey.D);

        CliRun run = await CliRun.WithAsync(_server.Handler, ["chat"], keys: keys);

        Assert.Equal((0, "error: boom cannot be said.\n"), (run.ExitCode, run.Error));
        Assert.StartsWith("echo at http://127.0.0.1:5080, conversation c1; /help lists commands\n\n\u001b[?2004h", run.Output);
        Assert.Contains("\nYou said: one\nturn 1: 0 tokens cached, 1 computed, first token in 6 ms\n", run.Output);
        Assert.EndsWith("\u001b[?2004lresume with: kvtiers-cli chat --conversation c1\n", run.Output);
    }

    [Fact]
    public async Task AtATerminalControlCCancelsAnAnswerAndLeavesAtThePrompt()
    {
        _server.Hangs = true;
        var keys = new FakeKeys(80).Type("one\n");
        Task<CliRun> running = CliRun.WithAsync(_server.Handler, ["chat"], keys: keys);
        await _server.Hanging.Task.WaitAsync(HangLimit.Time);

        keys.Control(ConsoleKey.C).Control(ConsoleKey.C);

        CliRun run = await running.WaitAsync(HangLimit.Time);
        Assert.Contains("cancelled; the conversation is as it was\n", run.Output);
        Assert.Equal(130, run.ExitCode);
    }

    [Fact]
    public async Task TheApiKeyGoesWithEveryCall()
    {
        CliRun run = await ChatAsync("", "--api-key", "a-key-of-sixteen", "--message", "one", "--message", "/undo");
        Assert.Equal(0, run.ExitCode);
        FakeRequest[] calls = [.. _server.Handler.Requests.Where(request => request.Path.StartsWith("/v1/", StringComparison.Ordinal))];
        Assert.True(calls.Length >= 3);
        Assert.All(calls, call => Assert.Equal("Bearer a-key-of-sixteen", call.Authorization));
    }

    [Fact]
    public async Task AnApiKeyThatNoHeaderTakesIsRefusedAndNotShown()
    {
        CliRun run = await ChatAsync("", "--api-key", "a key", "--message", "one");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("printable ASCII", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a key", run.Error, StringComparison.Ordinal);
    }

    private Task<CliRun> ChatAsync(string input, params string[] arguments) => CliRun.WithAsync(_server.Handler, ["chat", .. arguments], input);
}
