using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests.Terminals;

public class LineEditorTests
{
    [Fact]
    public async Task ALineIsReadAfterEdits()
    {
        var keys = new FakeKeys().Type("Helo").Press(ConsoleKey.LeftArrow).Type("l").Control(ConsoleKey.E).Type("!\n");

        Assert.Equal([new(LineEnd.Entered, "Hello!")], await ReadAsync(keys, 1));
    }

    [Fact]
    public async Task TheArrowsRecallEarlierLinesAndTheDraft()
    {
        var keys = new FakeKeys().Type("one\ntwo\ndra")
            .Press(ConsoleKey.UpArrow).Press(ConsoleKey.UpArrow).Type("!\n")
            .Type("dra").Press(ConsoleKey.UpArrow).Press(ConsoleKey.DownArrow).Type("ft\n");

        Assert.Equal(["one", "two", "one!", "draft"], (await ReadAsync(keys, 4)).Select(read => read.Text));
    }

    [Fact]
    public async Task ControlCInterruptsAndControlDEndsOnlyAnEmptyLine()
    {
        var keys = new FakeKeys().Type("x").Control(ConsoleKey.C).Type("ab").Control(ConsoleKey.A).Control(ConsoleKey.D).Type("\n").Control(ConsoleKey.D);

        Assert.Equal([new(LineEnd.Interrupted), new(LineEnd.Entered, "b"), new(LineEnd.EndOfInput)], await ReadAsync(keys, 3));
    }

    [Fact]
    public async Task ATerminalThatIsGoneEndsTheInput()
    {
        var keys = new FakeKeys().Type("half");
        keys.HangUp();

        Assert.Equal([new(LineEnd.EndOfInput)], await ReadAsync(keys, 1));
    }

    [Fact]
    public async Task ALongLineIsDrawnOverItsRows()
    {
        // Width 10, prompt of 2: "abcdefgh" fills the first row; 'i' stands alone on the second.
        var keys = new FakeKeys(10).Type("abcdefghi").Press(ConsoleKey.Home).Type("\n");
        var screen = new StringWriter();
        var editor = new LineEditor(new Keyboard(keys), screen);

        await editor.ReadAsync("> ", CancellationToken.None);

        string[] drawings = screen.ToString().Split("\r\u001b[J");
        // The row is full: the cursor is moved to the next one by hand.
        Assert.Equal("> abcdefgh\r\n\r\u001b[1A"[..14], drawings[9][..14]);
        // After Home the cursor is one row up, right of the prompt.
        Assert.Equal("> abcdefghi\u001b[1A\r\u001b[2C", drawings[11]);
        // Entering puts it at the end again, and on a new line.
        Assert.Equal("> abcdefghi\r\u001b[1C\r\n", drawings[12]);
    }

    private static async Task<List<LineRead>> ReadAsync(FakeKeys keys, int lines)
    {
        var editor = new LineEditor(new Keyboard(keys), TextWriter.Null);
        List<LineRead> reads = [];
        for (int i = 0; i < lines; i++)
            reads.Add(await editor.ReadAsync("> ", CancellationToken.None));
        return reads;
    }
}
