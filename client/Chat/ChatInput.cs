namespace KvTiers.Cli.Chat;

/// <summary>A line that the user entered: a message, or a command with what follows its name.</summary>
/// <param name="Command">The command's name without its slash; <see langword="null"/> for a message.</param>
/// <param name="Text">The message, or the command's arguments.</param>
internal readonly record struct ChatInput(string? Command, string Text)
{
    /// <summary>A line that begins with a slash is a command; two slashes begin a message with one.</summary>
    public static ChatInput Parse(string line)
    {
        string text = line.Trim();
        if (!text.StartsWith('/'))
            return new ChatInput(null, text);
        if (text.StartsWith("//", StringComparison.Ordinal))
            return new ChatInput(null, text[1..]);
        int space = text.IndexOfAny([' ', '\t']);
        return space < 0 ? new ChatInput(text[1..], "") : new ChatInput(text[1..space], text[space..].Trim());
    }

    /// <summary>Arguments that begin with a whole number: the number, and the rest.</summary>
    public (int Number, string Text)? NumberAndRest()
    {
        int space = Text.IndexOfAny([' ', '\t']);
        string first = space < 0 ? Text : Text[..space];
        return int.TryParse(first, out int number) && number > 0 ? (number, space < 0 ? "" : Text[space..].Trim()) : null;
    }
}
