using System.Text;

namespace KvTiers.Cli.Terminals;

/// <summary>Tells what is pasted from what is typed: a terminal sends a paste between <c>ESC [200~</c> and <c>ESC [201~</c> once it is asked to.</summary>
internal sealed class PasteReader(Keyboard keyboard)
{
    private const char Escape = '\u001b';
    private const string Begin = "\u001b[200~";
    private const string End = "\u001b[201~";

    // Keys that looked like the beginning of a paste and were none.
    private readonly Queue<ConsoleKeyInfo> _typed = new();

    /// <summary>The next key or paste; <see langword="null"/> when the terminal is gone. Ctrl-C inside a paste drops it and is a key.</summary>
    public async ValueTask<KeyOrPaste?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_typed.TryDequeue(out ConsoleKeyInfo typed) && typed.KeyChar != Escape)
            return new(typed);
        ConsoleKeyInfo? key = typed.KeyChar == Escape ? typed : await keyboard.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (key?.KeyChar != Escape)
            return key is { } other ? new(other) : null;

        // The editor has no use for Escape alone, so that it may wait for what follows.
        for (int matched = 1; matched < Begin.Length; matched++)
        {
            if (await keyboard.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } next)
                return null;
            _typed.Enqueue(next);
            if (next.KeyChar != Begin[matched])
                return new(key.Value);
        }

        _typed.Clear();
        return await ReadPasteAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<KeyOrPaste?> ReadPasteAsync(CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        int matched = 0;
        while (matched < End.Length)
        {
            if (await keyboard.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } key)
                return null;
            if (Keyboard.IsInterrupt(key))
                return new(key);
            matched = key.KeyChar == End[matched] ? matched + 1 : key.KeyChar == Escape ? 1 : 0;
            text.Append(key.KeyChar);
        }

        text.Length -= End.Length;
        return new(default, Clean(text.ToString()));
    }

    // Terminals send a line break as \r; what else moves a cursor or sets a colour has no place in a message.
    private static string Clean(string text) =>
        string.Concat(text.ReplaceLineEndings("\n").Where(c => c is '\n' or '\t' || !char.IsControl(c)));
}
