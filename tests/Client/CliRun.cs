using KvTiers.Cli.Commands;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests;

/// <summary>Runs a command line in this process, with text or a keyboard for input, and keeps what it wrote.</summary>
internal sealed record CliRun(int ExitCode, string Output, string Error)
{
    public static async Task<CliRun> WithAsync(
        HttpMessageHandler? server, string[] arguments, string input = "", IKeySource? keys = null, bool styled = false, CancellationToken cancellationToken = default)
    {
        var output = new StringWriter { NewLine = "\n" };
        var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(output, error, new StringReader(input), keys, styled, styled, keys?.Width);
        int code = await CommandLine.RunAsync(
            arguments, new CliContext(terminal, () => server ?? throw new InvalidOperationException("This run needs no server."), ["kvtiers-cli"]), cancellationToken);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    public static Task<CliRun> WithAsync(params string[] arguments) => WithAsync(null, arguments);
}
