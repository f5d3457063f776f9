using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Chat;

/// <summary>One conversation at a time, and what the user can do with it. Writes answers and notes to the terminal.</summary>
/// <remarks>Turns and messages are numbered as the user sees them: message N is what the user said in turn N.</remarks>
internal sealed class ChatSession(IConversations conversations, ChatSettings settings, Terminal terminal)
{
    private const string Tenant = KvTiersClientOptions.DefaultTenant;
    private const string UserRole = "user";
    private const string SystemRole = "system";

    private List<ChatMessage> _messages = [];
    private long _version;
    private ConversationKey _key;

    // That of new conversations, and the one that the next turn brings to this one.
    private string? _system = settings.System;
    private string? _nextSystem;

    public string Conversation => _key.Id;

    public int TurnCount => _messages.Count(message => message.Role == UserRole);

    /// <summary>Starts a new conversation, or resumes the one in the settings.</summary>
    /// <returns>The name of the model that answers.</returns>
    public async Task<string> OpenAsync(CancellationToken cancellationToken)
    {
        if (settings.Conversation is not { } id)
            return await StartNewAsync(cancellationToken).ConfigureAwait(false);
        _key = new ConversationKey(Tenant, id);
        return (await LoadAsync(cancellationToken).ConfigureAwait(false)).Model;
    }

    /// <summary>Leaves the conversation as it is and begins another.</summary>
    /// <returns>The name of the model that answers.</returns>
    public async Task<string> StartNewAsync(CancellationToken cancellationToken)
    {
        var request = new CreateConversation { Messages = _system is { } system ? [new ChatMessage("system", system)] : null };
        ConversationView view = await conversations.CreateAsync(Tenant, request, cancellationToken).ConfigureAwait(false);
        Take(view);
        _nextSystem = null;
        return view.Model;
    }

    /// <summary>Goes on in another conversation, which stands already.</summary>
    public async Task SwitchAsync(string id, CancellationToken cancellationToken)
    {
        Take(await conversations.GetAsync(new ConversationKey(Tenant, id), cancellationToken).ConfigureAwait(false));
        _nextSystem = null;
        terminal.WriteNote($"now in {_key.Id}, {Standing()}");
        WriteLastTurn();
    }

    /// <summary>The stored conversations, last changed first.</summary>
    public Task<IReadOnlyList<ConversationSummary>> ListAsync(CancellationToken cancellationToken) => conversations.ListAsync(Tenant, cancellationToken);

    public async Task WriteListAsync(bool isAll, CancellationToken cancellationToken) =>
        ChatTables.Write(await ListAsync(cancellationToken).ConfigureAwait(false), _key.Id, isAll, terminal);

    /// <summary>Says something, and streams the answer.</summary>
    public Task SayAsync(string text, CancellationToken cancellationToken)
    {
        ChatMessage message = new(UserRole, text);
        if (_nextSystem is not null)
            return AnswerAsync(HistoryTurn([.. WithSystem(_messages), message], cancellationToken), [.. WithSystem(_messages), message], "system prompt replaced");
        var request = new TurnRequest { Mode = TurnMode.Append, Messages = [message], Options = settings.Options.Generation, ContextPolicy = settings.Options.ContextPolicy };
        return AnswerAsync(conversations.TurnAsync(_key, request, cancellationToken), [.. _messages, message], null);
    }

    /// <summary>Replaces message <paramref name="number"/>, drops what follows, and answers again.</summary>
    public Task EditAsync(int number, string text, CancellationToken cancellationToken)
    {
        List<ChatMessage> history = WithSystem([.. _messages[..IndexOf(number)], new ChatMessage(UserRole, text)]);
        return AnswerAsync(HistoryTurn(history, cancellationToken), history, $"message {number} replaced");
    }

    /// <summary>Drops the last answer and makes another.</summary>
    public Task RegenerateAsync(CancellationToken cancellationToken)
    {
        if (TurnCount == 0)
            throw new CliException("There is no answer yet to make again.");
        List<ChatMessage> history = WithSystem(_messages[..(_messages.FindLastIndex(message => message.Role == UserRole) + 1)]);
        return AnswerAsync(
            _nextSystem is null ? conversations.RegenerateAsync(_key, settings.Options.Generation, cancellationToken) : HistoryTurn(history, cancellationToken),
            history, "answer dropped");
    }

    /// <summary>Takes back the last change.</summary>
    public async Task UndoAsync(CancellationToken cancellationToken)
    {
        EditReceipt receipt = await conversations.UndoAsync(_key, cancellationToken).ConfigureAwait(false);
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        WriteChange($"undone, {Standing()}", receipt);
        WriteLastTurn();
    }

    /// <summary>Drops all messages but the system prompt.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken)
    {
        int first = _messages.FindIndex(message => message.Role != SystemRole);
        if (first < 0)
            throw new CliException("Nothing has been said yet.");
        EditReceipt receipt = await conversations.TruncateAsync(_key, first, cancellationToken).ConfigureAwait(false);
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        WriteChange("cleared", receipt);
    }

    /// <summary>Sets the system prompt of the next turn, and of new conversations.</summary>
    public void SetSystem(string text)
    {
        _system = _nextSystem = text;
        terminal.WriteNote("the system prompt holds from the next message on");
    }

    public void WriteSystem()
    {
        if ((_nextSystem ?? SystemOf(_messages)) is { } text)
            Write(text);
        else
            terminal.WriteNote("there is no system prompt");
    }

    /// <summary>Goes on in a copy that keeps the first <paramref name="turns"/> turns; <see langword="null"/> keeps all.</summary>
    public async Task ForkAsync(int? turns, CancellationToken cancellationToken)
    {
        int? kept = turns is not { } count || count == TurnCount ? null : IndexOf(count + 1);
        string origin = _key.Id;
        Take(await conversations.ForkAsync(_key, new ForkRequest { At = kept }, cancellationToken).ConfigureAwait(false));
        terminal.WriteNote($"now in {_key.Id}, a fork of {origin}, {Standing()}");
    }

    /// <summary>Says why the last turn computed what it computed.</summary>
    public async Task ExplainAsync(CancellationToken cancellationToken)
    {
        Explanation explanation = await conversations.ExplainAsync(_key, cancellationToken).ConfigureAwait(false);
        Write(explanation.Text);
    }

    /// <summary>Writes all messages, those of the user with their numbers.</summary>
    public void WriteHistory()
    {
        WriteMessages(0);
        if (_messages.Count == 0)
            terminal.WriteNote("nothing has been said yet");
    }

    private void WriteLastTurn() => WriteMessages(Math.Max(0, _messages.FindLastIndex(message => message.Role == UserRole)));

    private void WriteMessages(int first)
    {
        int turn = _messages[..first].Count(message => message.Role == UserRole);
        foreach (ChatMessage message in _messages[first..])
        {
            string number = message.Role == UserRole ? $"{++turn}" : "";
            Write($"{number,3} {message.Role + ":",-10} {message.Content.ReplaceLineEndings("\n" + new string(' ', 15))}");
        }
    }

    private IAsyncEnumerable<TurnEvent> HistoryTurn(List<ChatMessage> history, CancellationToken cancellationToken)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = history,
            Options = settings.Options.Generation,
            ContextPolicy = settings.Options.ContextPolicy,
            // The history that is sent replaces the conversation: it must be the one that the user has seen.
            ExpectedVersion = _version,
        };
        return conversations.TurnAsync(_key, request, cancellationToken);
    }

    private async Task AnswerAsync(IAsyncEnumerable<TurnEvent> events, List<ChatMessage> history, string? change)
    {
        var answer = NewWriter();
        try
        {
            await foreach (TurnEvent turnEvent in events.ConfigureAwait(false))
            {
                switch (turnEvent)
                {
                    case TurnStarted started when change is not null:
                        WriteChange(change, started.Edit);
                        break;
                    case TurnToken token:
                        answer.Write(token.Text);
                        break;
                    case TurnCompleted completed:
                        answer.End();
                        _messages = [.. history, new ChatMessage(completed.Message.Role, completed.Message.Content)];
                        _version = completed.Version;
                        _nextSystem = null;
                        WriteStatistics(completed);
                        break;
                }
            }
        }
        catch
        {
            answer.End();
            throw;
        }
    }

    private void WriteChange(string change, EditReceipt? receipt) => terminal.WriteNote(
        !settings.Options.ShowsStatistics ? change : receipt is null ? $"{change}: nothing differs" : $"{change}: {TurnText.Describe(receipt)}");

    private void WriteStatistics(TurnCompleted completed)
    {
        if (settings.Options.ShowsStatistics)
            terminal.WriteNote(TurnText.Describe(TurnCount, completed));
        else if (TurnText.Loss(completed) is { } loss)
            terminal.WriteNote(loss);
    }

    private async Task<ConversationView> LoadAsync(CancellationToken cancellationToken)
    {
        ConversationView view = await conversations.GetAsync(_key, cancellationToken).ConfigureAwait(false);
        Take(view);
        return view;
    }

    private void Take(ConversationView view)
    {
        _key = new ConversationKey(Tenant, view.Id);
        _version = view.Version;
        _messages = [.. view.Messages.Select(message => new ChatMessage(message.Role, message.Content))];
    }

    private static string? SystemOf(List<ChatMessage> messages) => messages is [{ Role: SystemRole } first, ..] ? first.Content : null;

    // The messages with the system prompt that the next turn brings.
    private List<ChatMessage> WithSystem(List<ChatMessage> messages) => _nextSystem is { } system
        ? [new ChatMessage(SystemRole, system), .. messages[(SystemOf(messages) is null ? 0 : 1)..]]
        : messages;

    private int IndexOf(int number)
    {
        int turn = 0;
        for (int i = 0; i < _messages.Count; i++)
        {
            if (_messages[i].Role == UserRole && ++turn == number)
                return i;
        }

        throw new CliException(turn == 0 ? "Nothing has been said yet." : $"There is no message {number}; /history shows 1 to {turn}.");
    }

    private string Standing() => TurnCount == 0 ? "nothing said" : $"at turn {TurnCount}";

    private void Write(string text)
    {
        AnswerWriter writer = NewWriter();
        writer.Write(text);
        writer.End();
    }

    private AnswerWriter NewWriter() => new(terminal.Output, terminal.Keys?.Width);
}
