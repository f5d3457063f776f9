using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KvTiers.Tests.Shared;

namespace KvTiers.Cli.Tests.EndToEnd;

/// <summary>The real command line against the real server and the demo model, each in its own process.</summary>
public sealed partial class ChatProcessTests : IDisposable
{
    private readonly CliProcess _cli = new();

    private string[] Chat => ["chat", "--url", _cli.Url, "--temperature", "0", "--max-tokens", "24"];

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task APipedChatStartsAServerReusesWhatItComputedAndStopsTheServer()
    {
        CliRun run = await _cli.RunAsync("Hi, my name is Ada.\nWhat is my name?\n/edit 1 Hi, my name is Bob.\n/edit 1 Hi, my name is Ada.\n", Chat);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.DoesNotContain('\u001b', run.Output + run.Error);
        List<Turn> turns = Turns(run.Output);
        Assert.Equal([1, 2, 1, 1], turns.Select(turn => turn.Number));

        // Turn two finds the first turn, prompt and answer, and computes what was added.
        Assert.Equal(0, turns[0].Cached);
        Assert.True(turns[1].Cached > turns[0].Computed, run.Output);
        Assert.True(turns[1].Computed < turns[1].Cached, run.Output);

        // An edit keeps what stands before the first differing token; edited back, everything is there but the token that is always computed.
        Match edit = EditLine().Match(run.Output);
        Assert.True(edit.Success, run.Output);
        Assert.Equal(int.Parse(edit.Groups["kept"].Value), turns[2].Cached);
        Assert.Equal((turns[0].Computed - 1, 1), (turns[3].Cached, turns[3].Computed));
        Assert.Equal(turns[0].Answer, turns[3].Answer);

        Match started = StartLine().Match(run.Error);
        Assert.True(started.Success, run.Error);
        Assert.True(File.Exists(started.Groups["log"].Value));
        File.Delete(started.Groups["log"].Value);
        Assert.False(await AnswersAsync());
    }

    [Fact]
    public async Task AConversationOutlivesItsServer()
    {
        CliRun first = await _cli.RunAsync("Hi, my name is Ada.\n", Chat);
        string conversation = ConversationLine().Match(first.Error).Groups["id"].Value;

        CliRun second = await _cli.RunAsync("/history\nWhat is my name?\n/undo\n/undo\n/explain\n", [.. Chat, "--conversation", conversation]);

        Assert.StartsWith("  1 user:      Hi, my name is Ada.\n    assistant: " + Turns(first.Output)[0].Answer, second.Output);
        Assert.Equal(2, Assert.Single(Turns(second.Output)).Number);
        Assert.Contains("undone, at turn 1: ", second.Output);
        DeleteLogs(first, second);
    }

    [Fact]
    public async Task AnInterruptedChatIsExitCode130AndLeavesNoServer()
    {
        using Process process = _cli.Start(Chat);
        // Once the conversation is named, the server runs and the chat waits for a line.
        var error = new List<string>();
        while (error.Count == 0 || !ConversationLine().IsMatch(error[^1]))
            error.Add(await process.StandardError.ReadLineAsync().WaitAsync(HangLimit.Time) ?? throw new EndOfStreamException(string.Join('\n', error)));
        using (Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await kill.WaitForExitAsync();

        CliRun run = await CliProcess.FinishAsync(process, null);

        Assert.Equal((130, ""), (run.ExitCode, run.Error));
        Assert.False(await AnswersAsync());
        DeleteLogs(run with { Error = string.Join('\n', error) });
    }

    [Fact]
    public async Task AServerThatCannotStartIsOneScreenAndExitCode1()
    {
        CliRun run = await _cli.RunAsync("Hi\n", [.. Chat, "--model", Path.Combine(Repository.Root, "docs")]);

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string error = Assert.Single(lines, line => line.StartsWith("error: The server ended with exit code ", StringComparison.Ordinal));
        Assert.Contains("docs", error);
        Assert.Contains(lines, line => line.StartsWith($"  tried  {_cli.Url}/readyz for ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("  log    ", StringComparison.Ordinal));
        Assert.Contains(lines, line => StartByHand().IsMatch(line));
        DeleteLogs(run);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ATerminalGetsAPromptAndNoColorIsObeyed(bool noColor)
    {
        CliRun run = await _cli.RunInTerminalAsync("Hi, my name is Ada.\n/quit\n", noColor, Chat);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("> Hi, my name is Ada.", run.Output);
        Assert.Contains("turn 1: 0 tokens cached, ", run.Output);
        // Colours and weights are "m" sequences; the line editor's cursor movements are none.
        Assert.Equal(!noColor, ColourCode().IsMatch(run.Output));
        DeleteLogs(run);
    }

    [Fact]
    public async Task APasteInATerminalIsOneMessageAndTheResumeHintRunsAsItIs()
    {
        CliRun run = await _cli.RunInTerminalAsync("\u001b[200~Hi, my name is Ada.\nI have a cat.\u001b[201~\n/bye\n", true, Chat);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("turn 1: 0 tokens cached, ", run.Output);
        Assert.DoesNotContain("turn 2: ", run.Output);
        string hint = ResumeLine().Match(run.Output).Groups["command"].Value;

        CliRun again = await _cli.RunInShellAsync("/history\n", hint);

        Assert.True(again.ExitCode == 0, again.Error);
        Assert.StartsWith("  1 user:      Hi, my name is Ada.\n               I have a cat.\n    assistant: ", again.Output);
        DeleteLogs(run, again);
    }

    [Fact]
    public async Task UnknownOptionsAreExitCode2()
    {
        CliRun run = await _cli.RunAsync("", "chat", "--colour", "red");

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
    }

    private static List<Turn> Turns(string output) =>
    [
        .. TurnLines().Matches(output).Select(match => new Turn(
            int.Parse(match.Groups["turn"].Value), int.Parse(match.Groups["cached"].Value), int.Parse(match.Groups["computed"].Value), match.Groups["answer"].Value)),
    ];

    private static void DeleteLogs(params IEnumerable<CliRun> runs)
    {
        foreach (Match named in runs.SelectMany(run => LogPath().Matches(run.Output + run.Error)))
            File.Delete(named.Value);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", new Uri(_cli.Url).Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed record Turn(int Number, int Cached, int Computed, string Answer);

    // dotnet from the path, or the one that runs this.
    [GeneratedRegex("^  do     start it by hand, and read what it says: (/[^ ]*/)?dotnet /[^ ]*kvtiers-silo\\.dll .* --model /[^ ]*/docs$")]
    private static partial Regex StartByHand();

    [GeneratedRegex(@"^(?<answer>.*)\nturn (?<turn>\d+): (?<cached>\d+) tokens? cached, (?<computed>\d+) computed, first token in [\d.]+ m?s", RegexOptions.Multiline)]
    private static partial Regex TurnLines();

    [GeneratedRegex(@"^message 1 replaced: (?<kept>\d+) tokens? kept, \d+ invalidated; \d+ blocks? released", RegexOptions.Multiline)]
    private static partial Regex EditLine();

    [GeneratedRegex(@"^started a server at http://127\.0\.0\.1:\d+/, log in (?<log>.+)$", RegexOptions.Multiline)]
    private static partial Regex StartLine();

    [GeneratedRegex(@"^conversation (?<id>\S+)$", RegexOptions.Multiline)]
    private static partial Regex ConversationLine();

    [GeneratedRegex(@"resume with: (?<command>[^\r\n]+)")]
    private static partial Regex ResumeLine();

    [GeneratedRegex(@"\u001b\[[0-9;]*m")]
    private static partial Regex ColourCode();

    [GeneratedRegex(@"/\S*kvtiers-silo-\d+-\w+\.log")]
    private static partial Regex LogPath();
}
