namespace KvTiers.Cli.Chat;

/// <summary>The command that resumes a conversation, to be pasted as it is.</summary>
/// <param name="Program">How this program was run.</param>
/// <param name="Place">Where the server is, and its model, as a shell takes them.</param>
/// <param name="KeyVariable">The environment variable that must hold the server's key; <see langword="null"/> = it asks for none.</param>
internal sealed record ResumeHint(IReadOnlyList<string> Program, IReadOnlyList<string> Place, string? KeyVariable = null)
{
    /// <summary>The command. A secret is not in it: where its variable is not set, the shell says so.</summary>
    public string CommandFor(string conversation, ChatOptions options)
    {
        IEnumerable<string> words =
        [
            .. Program.Select(ShellText.Quote), "chat", "--conversation", conversation, .. Place,
            .. options.Changed.SelectMany(one => (string[])["--set", ShellText.Quote(one)]),
        ];
        // A shell of Windows has no such form; there the variable must be in the environment.
        string key = KeyVariable is null || OperatingSystem.IsWindows() ? "" : $"{KeyVariable}={ShellText.Variable(KeyVariable, "the key of the server")} ";
        return key + string.Join(' ', words);
    }
}
