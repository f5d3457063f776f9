using System.Diagnostics;
using KvTiers.Tests.Shared;

namespace KvTiers.Cli.Tests.EndToEnd;

/// <summary>The real command line in its own process, with pipes or a terminal, and data of its own.</summary>
internal sealed class CliProcess : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("kvtiers-test").FullName;

    /// <summary>An address on this machine where nothing listens.</summary>
    public string Url { get; } = $"http://127.0.0.1:{TestPorts.Take()}";

    public void Dispose() => Directory.Delete(_data, true);

    /// <summary>Runs to the end with <paramref name="input"/> piped in.</summary>
    public async Task<CliRun> RunAsync(string input, params string[] arguments)
    {
        using Process process = Launch(["dotnet", Assembly(), .. arguments]);
        return await FinishAsync(process, input);
    }

    /// <summary>Runs in a terminal of its own, in which <paramref name="input"/> is typed.</summary>
    public async Task<CliRun> RunInTerminalAsync(string input, bool noColor, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no script(1) here, which makes a terminal.");
        string command = string.Join(' ', ["dotnet", Assembly(), .. arguments]);
        using Process process = Launch(["/usr/bin/script", "-qec", command, "/dev/null"], noColor);
        return await FinishAsync(process, input);
    }

    /// <summary>Runs a command line as a shell reads it.</summary>
    public async Task<CliRun> RunInShellAsync(string input, string command)
    {
        using Process process = Launch(["/bin/sh", "-c", command]);
        return await FinishAsync(process, input);
    }

    /// <summary>Starts it with its input left open.</summary>
    public Process Start(params string[] arguments) => Launch(["dotnet", Assembly(), .. arguments]);

    /// <summary>Waits for the end; <paramref name="input"/> is written first, and no more comes; without it the input stays open.</summary>
    public static async Task<CliRun> FinishAsync(Process process, string? input)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        try
        {
            await process.WaitForExitAsync().WaitAsync(HangLimit.Time);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"It did not end. Output:\n{await output}\nError:\n{await error}");
        }

        return new CliRun(process.ExitCode, await output, await error);
    }

    private Process Launch(string[] command, bool noColor = false)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KVTIERS__DATA"] = _data;
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["NO_COLOR"] = noColor ? "1" : null;
        Interrupts.Allow();
        return Process.Start(start)!;
    }

    // The command line as it was built along with the tests.
    private static string Assembly()
    {
        string output = Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "Client"), AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, "client", output, "kvtiers-cli.dll");
    }
}
