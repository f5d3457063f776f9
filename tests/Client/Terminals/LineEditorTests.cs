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

    [Fact]
    public async Task APastedTextTakesARowForEachLineAndTheArrowsMoveInIt()
    {
        var keys = new FakeKeys(10).Paste("ab\ncdefghijkl\n\nm").Press(ConsoleKey.UpArrow).Press(ConsoleKey.UpArrow).Type("!").Press(ConsoleKey.DownArrow).Type("?\n");
        var screen = new StringWriter();

        LineRead read = await new LineEditor(new Keyboard(keys), screen).ReadAsync("> ", CancellationToken.None);

        Assert.Equal("ab\n!cdefghijkl\n?\nm", read.Text);
        // The second line fills its row: its line break is no further row, and the empty line is one.
        Assert.Equal("> ab\r\ncdefghijkl\r\n\r\nm\r\u001b[1C", screen.ToString().Split("\r\u001b[J")[2].Replace("\u001b[3A", ""));
    }

    [Fact]
    public async Task OfALongTextTheLastRowsAreDrawn()
    {
        var keys = new FakeKeys(10, height: 3).Paste("1\n2\n3\n4\n5").Press(ConsoleKey.UpArrow).Press(ConsoleKey.UpArrow).Press(ConsoleKey.UpArrow).Type("\n");
        var screen = new StringWriter();

        await new LineEditor(new Keyboard(keys), screen).ReadAsync("> ", CancellationToken.None);

        string[] drawings = screen.ToString().Split("\r\u001b[J");
        Assert.StartsWith("3\r\n4\r\n5\r", drawings[2]);
        // The cursor's row is always among them.
        Assert.StartsWith("2\r\n3\r\n4\u001b[2A\r", drawings[5]);
    }

    [Fact]
    public async Task TabCompletesAsFarAsItIsClearAndElseShowsWhatThereIs()
    {
        var keys = new FakeKeys(40).Type("go no").Press(ConsoleKey.Tab, '\t').Press(ConsoleKey.Tab, '\t').Type("e").Press(ConsoleKey.Tab, '\t').Type("x\n");
        var screen = new StringWriter();

        LineRead read = await new LineEditor(new Keyboard(keys), screen, new Directions()).ReadAsync("> ", CancellationToken.None);

        Assert.Equal("go northeast x", read.Text);
        Assert.Equal(1, screen.ToString().Split("\r\nnortheast  northwest\r\n").Length - 1);
    }

    private sealed class Directions : ICompleter
    {
        public ValueTask<IReadOnlyList<string>> CompleteAsync(string before, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<string>>([.. ((string[])["northeast", "northwest"]).Where(word => word.StartsWith(before["go ".Length..], StringComparison.Ordinal))]);
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
