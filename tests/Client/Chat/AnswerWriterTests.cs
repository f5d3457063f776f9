using KvTiers.Cli.Chat;

namespace KvTiers.Cli.Tests.Chat;

public class AnswerWriterTests
{
    [Fact]
    public void AWordThatDoesNotFitBeginsTheNextLine() => Assert.Equal("The quick b\u001b[1D\u001b[K\nbrown", Write(12, "The quick brown"));

    [Fact]
    public void AWordThatArrivesInPiecesIsTakenBack() => Assert.Equal("one two th\u001b[2D\u001b[K\nthree", Write(11, "one two t", "hr", "ee"));

    [Fact]
    public void AWordLongerThanTheLineIsCut() => Assert.Equal("abcd\nefgh\ni", Write(5, "abcdefghi"));

    [Fact]
    public void ASpaceAtTheMarginIsTheLineBreak() => Assert.Equal("abcd\nefg", Write(5, "abcd efg"));

    [Fact]
    public void LineBreaksStay() => Assert.Equal("a\n\nb", Write(5, "a\n\nb"));

    [Fact]
    public void WideCharactersTakeTwoCells() => Assert.Equal("日本\n語", Write(5, "日本語"));

    [Fact]
    public void ControlCharactersDoNotReachATerminal() => Assert.Equal("a[31mb", Write(40, "a\u001b[31m\u0007\rb"));

    [Fact]
    public void APipeGetsTheTextAsItIs() => Assert.Equal("a\u001b[31m  b c d e f\t", Write(null, "a\u001b[31m  b ", "c d e f\t"));

    [Theory]
    [InlineData("a", "a|")]
    [InlineData("a\n", "a|")]
    [InlineData("", "")]
    public void TheLineIsEndedOnce(string text, string written)
    {
        var output = new StringWriter { NewLine = "|" };
        var writer = new AnswerWriter(output, null);
        writer.Write(text);
        writer.End();
        Assert.Equal(written, output.ToString().Replace('\n', '|'));
    }

    private static string Write(int? width, params string[] pieces)
    {
        var output = new StringWriter();
        var writer = new AnswerWriter(output, width);
        foreach (string piece in pieces)
            writer.Write(piece);
        return output.ToString();
    }
}
