using System.Text.RegularExpressions;

namespace KvTiers.Cli.Chat;

/// <summary>What the user entered: a message, or a command with what follows its name.</summary>
/// <param name="Command">The command's name without its slash; <see langword="null"/> for a message.</param>
/// <param name="Text">The message, or the command's arguments.</param>
internal readonly partial record struct ChatInput(string? Command, string Text)
{
    /// <summary>What begins and ends a text of several lines.</summary>
    public const string Quotes = "\"\"\"";

    /// <summary>A text that begins with a slash is a command; two slashes begin a message with one.</summary>
    public static ChatInput Parse(string line)
    {
        string text = line.Trim();
        if (!text.StartsWith('/'))
            return new ChatInput(null, text);
        if (text.StartsWith("//", StringComparison.Ordinal))
            return new ChatInput(null, text[1..]);
        int space = text.IndexOfAny([' ', '\t', '\n']);
        return space < 0 ? new ChatInput(text[1..], "") : new ChatInput(text[1..space], text[space..].Trim());
    }

    /// <summary>
    /// Where the text after <c>"""</c> begins, when a line opens one: at its start, or after a command and its number. <see langword="null"/> when it does not.
    /// </summary>
    public static int? QuotedFrom(string line) => OpeningQuotes().Match(line) is { Success: true } match ? match.Length : null;

    /// <summary>The same input with a text that stood in quotes, as it is.</summary>
    public ChatInput WithQuoted(string text) => this with { Text = Text.Length > 0 ? $"{Text} {text}" : text };

    /// <summary>Arguments that begin with a whole number: the number, and the rest.</summary>
    public (int Number, string Text)? NumberAndRest()
    {
        int space = Text.IndexOfAny([' ', '\t', '\n']);
        string first = space < 0 ? Text : Text[..space];
        return int.TryParse(first, out int number) && number > 0 ? (number, space < 0 ? "" : Text[space..].Trim()) : null;
    }

    [GeneratedRegex("^\\s*(/\\w+\\s+(\\d+\\s+)?)?\"\"\"")]
    private static partial Regex OpeningQuotes();
}
