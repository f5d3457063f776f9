using KvTiers.Cli.Terminals;
using KvTiers.Conversations;

namespace KvTiers.Cli.Chat;

/// <summary>One chat from its first line to its last: said at a keyboard, from a pipe, or by arguments.</summary>
/// <param name="terminal">Where to read and write.</param>
/// <param name="conversations">What answers.</param>
/// <param name="place">Where that is, for the first line.</param>
/// <param name="hint">How to resume it.</param>
internal sealed class ChatTalk(Terminal terminal, IConversations conversations, string place, ResumeHint hint)
{
    /// <param name="settings">Which conversation, and how answers are generated.</param>
    /// <param name="messages">What is said; none = what is typed or piped in.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(ChatSettings settings, IReadOnlyList<string> messages, CancellationToken cancellationToken)
    {
        var session = new ChatSession(conversations, settings, terminal);
        var commands = new ChatCommands(session, settings.Options, terminal);
        string model = await session.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (terminal.Keys is { } keys && messages.Count == 0)
            return await TalkAsync(session, commands, settings.Options, new Keyboard(keys), model, cancellationToken).ConfigureAwait(false);

        terminal.WriteErrorNote($"conversation {session.Conversation}");
        var source = new Queue<string>(messages);
        var inputs = new ChatInputReader((_, ct) => messages.Count > 0 ? Task.FromResult(Next(source)) : ReadLineAsync(terminal.Input, ct));
        return await new ChatLoop(session, commands, terminal, null).RunAsync(inputs, cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> TalkAsync(
        ChatSession session, ChatCommands commands, ChatOptions options, Keyboard keyboard, string model, CancellationToken cancellationToken)
    {
        terminal.WriteNote($"{model} at {place}, conversation {session.Conversation}; /help lists commands");
        if (session.TurnCount > 0)
            terminal.WriteNote($"resumed at turn {session.TurnCount}; /history shows it");
        terminal.Output.WriteLine();
        int code;
        using (new BracketedPaste(terminal.Output))
        {
            var editor = new LineEditor(keyboard, terminal.Output, new ChatCompleter(session, commands));
            code = await new ChatLoop(session, commands, terminal, keyboard).RunAsync(new ChatInputReader(editor.ReadAsync), cancellationToken).ConfigureAwait(false);
        }

        if (session.TurnCount > 0)
            terminal.WriteNote($"resume with: {hint.CommandFor(session.Conversation, options)}");
        return code;
    }

    private static LineRead Next(Queue<string> messages) =>
        messages.TryDequeue(out string? message) ? new LineRead(LineEnd.Entered, message) : new LineRead(LineEnd.EndOfInput);

    // A blocked read of a pipe cannot be cancelled; it is left behind when the process ends.
    private static async Task<LineRead> ReadLineAsync(TextReader input, CancellationToken cancellationToken) =>
        await Task.Run(input.ReadLine, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false) is { } line
            ? new LineRead(LineEnd.Entered, line)
            : new LineRead(LineEnd.EndOfInput);
}
