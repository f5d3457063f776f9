namespace KvTiers.Cli.Chat;

/// <summary>Words as this system's shell takes them.</summary>
internal static class ShellText
{
    /// <summary>The word as it is, or in the shell's quotes where a character of it would mean something else.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or ':' or '=' or ',' or '@' or '+'))
            return word;
        return OperatingSystem.IsWindows()
            ? $"\"{word.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    /// <summary>The value of an environment variable; a shell that does not know it says what to set it to.</summary>
    public static string Variable(string name, string meaning) =>
        OperatingSystem.IsWindows() ? $"\"%{name}%\"" : $"\"${{{name}:?set it to {meaning}}}\"";
}
