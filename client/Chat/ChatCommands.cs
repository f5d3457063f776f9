using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Chat;

/// <summary>The commands of the chat: what they are called, what they take, and what they do.</summary>
internal sealed class ChatCommands
{
    private readonly ChatSession _session;
    private readonly ChatOptions _options;
    private readonly Terminal _terminal;

    public ChatCommands(ChatSession session, ChatOptions options, Terminal terminal)
    {
        _session = session;
        _options = options;
        _terminal = terminal;
        All =
        [
            new("edit", "N text", "replace message N, drop what follows, and answer again", Edit),
            new("undo", "", "take back the last turn, edit or regeneration", (_, ct) => session.UndoAsync(ct)),
            new("regenerate", "", "answer the last message again", (_, ct) => session.RegenerateAsync(ct)),
            new("fork", "[N]", "go on in a copy; with N, one that keeps the first N turns", Fork),
            new("explain", "", "why the last turn computed what it computed", (_, ct) => session.ExplainAsync(ct)),
            new("history", "", "all messages, numbered", (_, _) => Do(session.WriteHistory)),
            new("clear", "", "drop all messages but the system prompt; /undo brings them back", (_, ct) => session.ClearAsync(ct)),
            new("system", "[text]", "the system prompt from the next message on; without text, what it is", SystemPrompt),
            new("set", "[option value]", "temperature, top_p, stats and others; without any, what they are", Set),
            new("list", "[all]", "the stored conversations, last changed first", List),
            new("switch", "ID", "go on in another conversation", Switch),
            new("new", "", "begin a new conversation", New),
            new("help", "", "this list", (_, _) => Do(WriteHelp)),
            new("bye", "", "leave (so do /quit, /exit and Ctrl-D)", null),
        ];
    }

    public IReadOnlyList<ChatCommandEntry> All { get; }

    /// <summary>Whether a command leaves the chat.</summary>
    public static bool IsLeave(string? command) => command is "bye" or "quit" or "exit";

    /// <exception cref="CliException">There is no such command, or it takes other arguments.</exception>
    public Task CarryOutAsync(string name, ChatInput input, CancellationToken cancellationToken) =>
        All.FirstOrDefault(entry => entry.Name == name) is { Action: { } action }
            ? action(input, cancellationToken)
            : throw new CliException($"There is no command /{name}; /help lists them, and a message that begins with a slash takes two.");

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

    private Task SystemPrompt(ChatInput input, CancellationToken cancellationToken) => Do(() =>
    {
        if (input.Text.Length > 0)
            _session.SetSystem(input.Text);
        else
            _session.WriteSystem();
    });

    private Task Set(ChatInput input, CancellationToken cancellationToken)
    {
        if (input.Text.Length == 0)
            return Do(() => ChatTables.Write(_options, _terminal));
        string[] parts = input.Text.Split((char[])[' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts is not [var name, var value])
            throw new CliException($"Write /set OPTION VALUE, such as /set temperature 0.5; the value {ChatOptions.Default} leaves it to the server.");
        _options.Set(name, value);
        _terminal.WriteNote($"{name} is {value}");
        return Task.CompletedTask;
    }

    private Task List(ChatInput input, CancellationToken cancellationToken) => input.Text is "" or "all"
        ? _session.WriteListAsync(input.Text == "all", cancellationToken)
        : throw new CliException("Write /list, or /list all.");

    private Task Switch(ChatInput input, CancellationToken cancellationToken) => input.Text.Length > 0
        ? _session.SwitchAsync(input.Text, cancellationToken)
        : throw new CliException("Write /switch ID, with an id from /list.");

    private async Task New(ChatInput input, CancellationToken cancellationToken)
    {
        await _session.StartNewAsync(cancellationToken).ConfigureAwait(false);
        _terminal.WriteNote($"now in {_session.Conversation}, new");
    }

    private void WriteHelp()
    {
        foreach (ChatCommandEntry entry in All)
            _terminal.Output.WriteLine($"/{entry.Name + " " + entry.Arguments,-19} {entry.Help}");
        _terminal.Output.WriteLine($"{ChatInput.Quotes,-20} begins a message of several lines, and ends it; a pasted text is one message by itself");
        if (_terminal.Keys is not null)
            _terminal.WriteNote("Tab completes commands, options and ids; Ctrl-C cancels an answer, and leaves at the prompt");
    }

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
