using System.Threading.Channels;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests.Terminals;

/// <summary>A keyboard on which a test types.</summary>
internal sealed class FakeKeys(int width = 40, int height = 24) : IKeySource
{
    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateUnbounded<ConsoleKeyInfo>();

    public int Width => width;

    public int Height => height;

    public ValueTask<ConsoleKeyInfo> ReadAsync(CancellationToken cancellationToken) => _keys.Reader.ReadAsync(cancellationToken);

    /// <summary>Types text; a line feed is the Enter key.</summary>
    public FakeKeys Type(string text)
    {
        foreach (char c in text)
            Press(c == '\n' ? ConsoleKey.Enter : ConsoleKey.None, c == '\n' ? '\r' : c);
        return this;
    }

    public FakeKeys Press(ConsoleKey key, char character = '\0')
    {
        _keys.Writer.TryWrite(new ConsoleKeyInfo(character, key, false, false, false));
        return this;
    }

    /// <summary>Pastes as a terminal does that was asked to mark it: each character a key, line breaks as Enter.</summary>
    public FakeKeys Paste(string text) => Type("\u001b[200~").Type(text).Type("\u001b[201~");

    public FakeKeys Control(ConsoleKey letter)
    {
        _keys.Writer.TryWrite(new ConsoleKeyInfo((char)(letter - ConsoleKey.A + 1), letter, false, false, true));
        return this;
    }

    public void HangUp() => _keys.Writer.Complete();
}
