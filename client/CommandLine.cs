using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using KvTiers.Cli.Commands;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli;

/// <summary>All commands, and how their failures become one line and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, CliContext context, CancellationToken interrupted)
    {
        Terminal terminal = context.Terminal;
        RootCommand root = new("The command line of the KvTiers chat server.")
        {
            ChatCommand.Create(context),
            KeysCommand.Create(terminal, TimeProvider.System),
            LoadCommand.Create(context),
            ReplayCommand.Create(terminal),
            SizeCommand.Create(terminal),
        };
        HelpText.Install(root);
        // A message may begin with '@'; it names no response file.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
            return ReportUsage(parsed, terminal);

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = terminal.Output,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                interrupted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (UsageException exception)
        {
            terminal.WriteError(exception.Message);
            return ExitCodes.Usage;
        }
        catch (Exception exception) when (Failures.Describe(exception) is { } message)
        {
            terminal.WriteError(message);
            foreach (string line in exception is CliException { Details: var details } ? details : [])
                terminal.WriteErrorNote(line);
            return ExitCodes.Error;
        }
    }

    private static int ReportUsage(ParseResult parsed, Terminal terminal)
    {
        foreach (ParseError error in parsed.Errors)
            terminal.WriteError(error.Message);
        Command command = parsed.CommandResult.Command;
        string name = command is RootCommand ? command.Name : $"{parsed.RootCommandResult.Command.Name} {NameOf(command)}";
        terminal.WriteErrorNote($"try: {name} --help");
        return ExitCodes.Usage;
    }

    // With the commands that it stands in.
    private static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{NameOf(parent)} {command.Name}" : command.Name;
}
