using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Commands;

/// <summary>What commands get from outside: the terminal, the way to a server, and how the program was run.</summary>
/// <param name="Terminal">Where to read and write.</param>
/// <param name="NewHttpHandler">Makes the handler that HTTP requests go through.</param>
/// <param name="Program">The words that run this program again.</param>
internal sealed record CliContext(Terminal Terminal, Func<HttpMessageHandler> NewHttpHandler, IReadOnlyList<string> Program)
{
    public static CliContext OfProcess() =>
        new(Terminal.OfProcess(), () => new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }, ProgramOfProcess());

    // The program itself, or what runs its assembly.
    private static IReadOnlyList<string> ProgramOfProcess()
    {
        string assembly = Environment.GetCommandLineArgs()[0];
        return Environment.ProcessPath is not { } path || Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? ["dotnet", FromHere(assembly)]
            : [FromHere(path)];
    }

    private static string FromHere(string path)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? path
            : relative.Contains(Path.DirectorySeparatorChar) ? relative
            : Path.Combine(".", relative);
    }
}
