using KvTiers.Cli.Chat;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using KvTiers.Cli.Tests.Terminals;

namespace KvTiers.Cli.Tests.Chat;

/// <summary>A message of several lines: between quotes, or pasted.</summary>
public class ChatInputReaderTests
{
    private const string Quotes = ChatInput.Quotes;

    [Theory]
    [InlineData("\"\"\"\n  one\n\n/two\n\"\"\"", null, "  one\n\n/two")]
    [InlineData("\"\"\"one\ntwo\"\"\" ", null, "one\ntwo")]
    [InlineData("\"\"\"one\"\"\"", null, "one")]
    [InlineData("  \"\"\"\n\"\"\"", null, "")]
    [InlineData("/edit 2 \"\"\"\none\ntwo\n\"\"\"", "edit", "2 one\ntwo")]
    [InlineData("/system \"\"\"one\ntwo\"\"\"", "system", "one\ntwo")]
    [InlineData("say \"\"\" twice", null, "say \"\"\" twice")]
    [InlineData("/edit 1 say \"\"\" twice", "edit", "1 say \"\"\" twice")]
    public async Task TextBetweenQuotesIsOneInput(string lines, string? command, string text)
    {
        List<ChatInput> read = await ReadAsync($"{lines}\nlast");

        Assert.Equal([new ChatInput(command, text), new ChatInput(null, "last")], read);
    }

    [Fact]
    public async Task QuotesInsideOneTextAreReadAtOnce() =>
        Assert.Equal((LineEnd.Entered, new ChatInput(null, "a\nb")), await Reader([$"{Quotes}\na\nb\n{Quotes}"]).ReadAsync(CancellationToken.None));

    [Fact]
    public async Task QuotesWithoutAnEndAreAnError()
    {
        CliException thrown = await Assert.ThrowsAsync<CliException>(() => Reader([Quotes, "one"]).ReadAsync(CancellationToken.None));

        Assert.Equal("The text that \"\"\" began has no end; \"\"\" at the end of a line ends it.", thrown.Message);
    }

    [Fact]
    public async Task ControlCGivesAQuotedTextUpAndTheChatGoesOn()
    {
        var server = new EchoServer();
        var keys = new FakeKeys(80).Type($"{Quotes}\none\n").Control(ConsoleKey.C).Type("two\n/bye\n");

        CliRun run = await CliRun.WithAsync(server.Handler, ["chat"], keys: keys);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("... ", run.Output);
        Assert.Contains("You said: two", run.Output);
        Assert.DoesNotContain("You said: one", run.Output);
    }

    [Fact]
    public async Task APastedTextIsOneMessage()
    {
        var server = new EchoServer();
        var keys = new FakeKeys(80).Type("Look: ").Paste("one\n\ttwo\n\nthree").Type("!\n/bye\n");

        await CliRun.WithAsync(server.Handler, ["chat"], keys: keys);

        Assert.Equal("Look: one\n\ttwo\n\nthree!", (string?)server.Handler.Requests[^1].Body!["messages"]![0]!["content"]);
    }

    private static async Task<List<ChatInput>> ReadAsync(string text)
    {
        ChatInputReader reader = Reader(text.Split('\n'));
        List<ChatInput> read = [];
        while (await reader.ReadAsync(CancellationToken.None) is (LineEnd.Entered, var input))
            read.Add(input);
        return read;
    }

    private static ChatInputReader Reader(string[] lines)
    {
        var left = new Queue<string>(lines);
        return new ChatInputReader((_, _) => Task.FromResult(
            left.TryDequeue(out string? line) ? new LineRead(LineEnd.Entered, line) : new LineRead(LineEnd.EndOfInput)));
    }
}
