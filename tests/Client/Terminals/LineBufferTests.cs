using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests.Terminals;

public class LineBufferTests
{
    [Theory]
    [InlineData("one two  ", "one ")]
    [InlineData("one", "")]
    [InlineData("", "")]
    public void DeleteWordTakesTheWordBeforeTheCursor(string before, string after)
    {
        LineBuffer line = Holding(before);
        line.DeleteWord();
        Assert.Equal(after, line.Text);
    }

    [Theory]
    [InlineData("ab", 1)]
    [InlineData("a😀", 1)]
    [InlineData("ae\u0301", 1)]
    [InlineData("a👩‍👩‍👧", 1)]
    public void OneStepPassesOneVisibleCharacter(string text, int cursor)
    {
        LineBuffer line = Holding(text);

        line.MoveLeft();
        Assert.Equal(cursor, line.Cursor);
        line.MoveRight();
        Assert.Equal(text.Length, line.Cursor);
        line.DeleteLeft();
        Assert.Equal("a", line.Text);
    }

    [Fact]
    public void NothingHappensPastTheEnds()
    {
        LineBuffer line = Holding("a");

        line.MoveRight();
        line.DeleteRight();
        Assert.Equal(1, line.Cursor);
        line.MoveHome();
        line.MoveLeft();
        line.DeleteLeft();
        Assert.Equal((0, "a"), (line.Cursor, line.Text));
        line.DeleteRight();
        Assert.Equal("", line.Text);
    }

    [Fact]
    public void TextIsCutOnEitherSideOfTheCursor()
    {
        LineBuffer line = Holding("abcd");
        line.MoveLeft();
        line.DeleteToEnd();
        Assert.Equal("abc", line.Text);
        line.MoveLeft();
        line.DeleteToStart();
        Assert.Equal(("c", 0), (line.Text, line.Cursor));
    }

    private static LineBuffer Holding(string text)
    {
        var line = new LineBuffer();
        foreach (char c in text)
            line.Insert(c);
        return line;
    }
}
