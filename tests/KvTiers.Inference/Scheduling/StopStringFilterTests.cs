using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

public sealed class StopStringFilterTests
{
    [Fact]
    public void TextWithoutStopStringsPassesAtOnce()
    {
        var filter = new StopStringFilter([]);

        Assert.Equal("abc", filter.Append("abc"));
        Assert.Equal("", filter.Flush());
    }

    [Fact]
    public void WhatMayBecomeAStopStringIsHeldBackUntilItIsCertain()
    {
        var filter = new StopStringFilter(["STOP"]);

        Assert.Equal("a", filter.Append("aS"));
        Assert.Equal("", filter.Append("T"));
        Assert.Equal("STS", filter.Append("STST")[..3]);
        Assert.Equal("", filter.Append("O"));
        Assert.Null(filter.Matched);
        Assert.Equal("STO", filter.Flush());
    }

    [Fact]
    public void TheTextBeforeAStopStringIsDeliveredAndTheRestIsNot()
    {
        var filter = new StopStringFilter(["STOP"]);

        Assert.Equal("one ", filter.Append("one ST"));
        Assert.Equal("", filter.Append("OP two"));
        Assert.Equal("STOP", filter.Matched);
        Assert.Equal("", filter.Append("three"));
    }

    [Fact]
    public void AStopStringIsDeliveredWhereItIsPartOfTheText()
    {
        var filter = new StopStringFilter(["STOP"], includeStop: true);

        Assert.Equal("one ", filter.Append("one ST"));
        Assert.Equal("STOP", filter.Append("OP two"));
        Assert.Equal("STOP", filter.Matched);
        Assert.Equal("", filter.Append("three"));
        Assert.Equal("", filter.Flush());
    }

    [Fact]
    public void TheStopStringThatIsCompleteFirstWins()
    {
        var filter = new StopStringFilter(["bcdef", "cd"]);

        Assert.Equal("ab", filter.Append("abcdef"));
        Assert.Equal("cd", filter.Matched);
    }

    [Fact]
    public void OfStopStringsThatEndTogetherTheLongestWins()
    {
        var filter = new StopStringFilter(["d", "bcd", "cd"]);

        Assert.Equal("a", filter.Append("abcd"));
        Assert.Equal("bcd", filter.Matched);
    }

    [Fact]
    public void HowTheTextIsCutDoesNotMatter()
    {
        var random = new Random(11);
        for (int round = 0; round < 500; round++)
        {
            string text = Letters(random, 30);
            string[] stops = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => Letters(random, 1 + random.Next(5)))];

            (string wholeText, string? wholeStop) = Run(stops, [text]);
            (string cutText, string? cutStop) = Run(stops, Cut(random, text));

            Assert.Equal((wholeText, wholeStop), (cutText, cutStop));
            int expected = Enumerable.Range(0, text.Length + 1).FirstOrDefault(end => stops.Any(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)), -1);
            Assert.Equal(expected < 0 ? text : text[..(expected - wholeStop!.Length)], wholeText);
        }
    }

    private static (string Text, string? Stop) Run(string[] stops, IEnumerable<string> pieces)
    {
        var filter = new StopStringFilter(stops);
        string text = string.Concat(pieces.Select(filter.Append));
        return (filter.Matched is null ? text + filter.Flush() : text, filter.Matched);
    }

    private static IEnumerable<string> Cut(Random random, string text)
    {
        for (int start = 0; start < text.Length;)
        {
            int length = Math.Min(random.Next(4), text.Length - start);
            yield return text.Substring(start, length);
            start += length;
        }
    }

    private static string Letters(Random random, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => "abc"[random.Next(3)]));
}
