using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Chat;

/// <summary>Takes lines until they end or the user leaves: messages go to the session, commands are carried out.</summary>
internal sealed class ChatLoop
{
    private readonly ChatSession _session;
    private readonly Terminal _terminal;
    private readonly Keyboard? _keyboard;
    private readonly IReadOnlyList<ChatCommandEntry> _commands;

    public ChatLoop(ChatSession session, Terminal terminal, Keyboard? keyboard)
    {
        _session = session;
        _terminal = terminal;
        _keyboard = keyboard;
        _commands =
        [
            new("edit", "N text", "replace message N, drop what follows, and answer again", Edit),
            new("undo", "", "take back the last turn, edit or regeneration", (_, ct) => session.UndoAsync(ct)),
            new("regenerate", "", "answer the last message again", (_, ct) => session.RegenerateAsync(ct)),
            new("fork", "[N]", "go on in a copy; with N, one that keeps the first N turns", Fork),
            new("explain", "", "why the last turn computed what it computed", (_, ct) => session.ExplainAsync(ct)),
            new("history", "", "all messages, numbered", (_, _) => Do(session.WriteHistory)),
            new("new", "", "begin a new conversation", New),
            new("help", "", "this list", (_, _) => Do(WriteHelp)),
            new("quit", "", "leave (so does Ctrl-D)", null),
        ];
    }

    /// <param name="nextLine">Waits for the next line.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    /// <returns>The exit code. Without a keyboard the first failure ends the loop.</returns>
    public async Task<int> RunAsync(Func<CancellationToken, Task<LineRead>> nextLine, CancellationToken cancellationToken)
    {
        while (true)
        {
            LineRead read = await nextLine(cancellationToken).ConfigureAwait(false);
            if (read.End != LineEnd.Entered)
                return read.End == LineEnd.Interrupted ? ExitCodes.Interrupted : ExitCodes.Ok;
            ChatInput input = ChatInput.Parse(read.Text);
            if (input is { Command: null, Text: "" })
                continue;
            if (input.Command is "quit" or "exit")
                return ExitCodes.Ok;

            if (_keyboard is null)
                await CarryOutAsync(input, cancellationToken).ConfigureAwait(false);
            else
                await CarryOutOrReportAsync(_keyboard, input, cancellationToken).ConfigureAwait(false);
            await _terminal.Output.WriteLineAsync().ConfigureAwait(false);
            await _terminal.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CarryOutOrReportAsync(Keyboard keyboard, ChatInput input, CancellationToken cancellationToken)
    {
        try
        {
            await keyboard.RunAsync(ct => CarryOutAsync(input, ct), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _terminal.WriteNote("cancelled; the conversation is as it was");
        }
        catch (Exception exception) when (Failures.Describe(exception) is { } message)
        {
            _terminal.WriteError(message);
        }
    }

    private Task CarryOutAsync(ChatInput input, CancellationToken cancellationToken)
    {
        if (input.Command is not { } name)
            return _session.SayAsync(input.Text, cancellationToken);
        return _commands.FirstOrDefault(entry => entry.Name == name) is { Action: { } action }
            ? action(input, cancellationToken)
            : throw new CliException($"There is no command /{name}; /help lists them, and a message that begins with a slash takes two.");
    }

    private Task Edit(ChatInput input, CancellationToken cancellationToken) => input.NumberAndRest() is (var number, { Length: > 0 } text)
        ? _session.EditAsync(number, text, cancellationToken)
        : throw new CliException("Write /edit N text, with the number of one of your messages from /history.");

    private Task Fork(ChatInput input, CancellationToken cancellationToken)
    {
        if (input.Text.Length == 0)
            return _session.ForkAsync(null, cancellationToken);
        return input.NumberAndRest() is (var turns, "")
            ? _session.ForkAsync(turns, cancellationToken)
            : throw new CliException("Write /fork, or /fork N with the number of turns to keep.");
    }

    private async Task New(ChatInput input, CancellationToken cancellationToken)
    {
        await _session.StartNewAsync(cancellationToken).ConfigureAwait(false);
        _terminal.WriteNote($"now in {_session.Conversation}, new");
    }

    private void WriteHelp()
    {
        foreach (ChatCommandEntry entry in _commands)
            _terminal.Output.WriteLine($"/{entry.Name + " " + entry.Arguments,-14} {entry.Help}");
        if (_keyboard is not null)
            _terminal.WriteNote("Ctrl-C cancels an answer; at the prompt it leaves");
    }

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    /// <summary>One command of the loop; <c>quit</c> has no action.</summary>
    private sealed record ChatCommandEntry(
        string Name, string Arguments, string Help, Func<ChatInput, CancellationToken, Task>? Action);
}
