using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests.Terminals;

public class PasteReaderTests
{
    [Fact]
    public async Task APasteIsOneTextWithoutControlCharacters() =>
        Assert.Equal(
            ["a", "paste:one\n\ttwo\nthree[31m", "b"],
            await ReadAsync(new FakeKeys().Type("a").Type("\u001b[200~").Type("one").Press(ConsoleKey.Enter, '\r').Type("\ttwo\u0007\nthree\u001b[31m\u001b[201~b"), 3));

    [Fact]
    public async Task WhatOnlyBeginsLikeAPasteIsTyped() =>
        Assert.Equal(["\u001b", "[", "2", "x", "\u001b", "paste:y"], await ReadAsync(new FakeKeys().Type("\u001b[2x").Type("\u001b").Paste("y"), 6));

    [Fact]
    public async Task AnEndThatIsBegunTwiceIsFound() =>
        Assert.Equal(["paste:a[20", "b"], await ReadAsync(new FakeKeys().Type("\u001b[200~a\u001b[20\u001b[201~b"), 2));

    [Fact]
    public async Task ControlCDropsAPaste() =>
        Assert.Equal(["\u0003", "c"], await ReadAsync(new FakeKeys().Type("\u001b[200~ab").Control(ConsoleKey.C).Type("c"), 2));

    [Fact]
    public async Task ATerminalThatIsGoneEndsAPaste()
    {
        var keys = new FakeKeys().Type("\u001b[200~ab");
        keys.HangUp();

        Assert.Null(await new PasteReader(new Keyboard(keys)).ReadAsync(CancellationToken.None));
    }

    private static async Task<List<string>> ReadAsync(FakeKeys keys, int count)
    {
        var reader = new PasteReader(new Keyboard(keys));
        List<string> read = [];
        while (read.Count < count)
        {
            (ConsoleKeyInfo key, string? pasted) = (await reader.ReadAsync(CancellationToken.None))!.Value;
            read.Add(pasted is null ? key.KeyChar.ToString() : "paste:" + pasted);
        }

        return read;
    }
}
