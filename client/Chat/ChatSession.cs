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

    private List<ChatMessage> _messages = [];
    private long _version;
    private ConversationKey _key;

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
        var request = new CreateConversation { Messages = settings.System is { } system ? [new ChatMessage("system", system)] : null };
        ConversationView view = await conversations.CreateAsync(Tenant, request, cancellationToken).ConfigureAwait(false);
        Take(view);
        return view.Model;
    }

    /// <summary>Says something, and streams the answer.</summary>
    public Task SayAsync(string text, CancellationToken cancellationToken)
    {
        ChatMessage message = new(UserRole, text);
        var request = new TurnRequest { Mode = TurnMode.Append, Messages = [message], Options = settings.Generation };
        return AnswerAsync(conversations.TurnAsync(_key, request, cancellationToken), [.. _messages, message], null);
    }

    /// <summary>Replaces message <paramref name="number"/>, drops what follows, and answers again.</summary>
    public Task EditAsync(int number, string text, CancellationToken cancellationToken)
    {
        int index = IndexOf(number);
        List<ChatMessage> history = [.. _messages[..index], new ChatMessage(UserRole, text)];
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = history,
            Options = settings.Generation,
            // The history that is sent replaces the conversation: it must be the one that the user has seen.
            ExpectedVersion = _version,
        };
        return AnswerAsync(conversations.TurnAsync(_key, request, cancellationToken), history, $"message {number} replaced");
    }

    /// <summary>Drops the last answer and makes another.</summary>
    public Task RegenerateAsync(CancellationToken cancellationToken)
    {
        if (TurnCount == 0)
            throw new CliException("There is no answer yet to make again.");
        int last = _messages.FindLastIndex(message => message.Role == UserRole);
        return AnswerAsync(conversations.RegenerateAsync(_key, settings.Generation, cancellationToken), _messages[..(last + 1)], "answer dropped");
    }

    /// <summary>Takes back the last change.</summary>
    public async Task UndoAsync(CancellationToken cancellationToken)
    {
        EditReceipt receipt = await conversations.UndoAsync(_key, cancellationToken).ConfigureAwait(false);
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        terminal.WriteNote($"undone, {Standing()}: {TurnText.Describe(receipt)}");
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
        int turn = 0;
        foreach (ChatMessage message in _messages)
        {
            string number = message.Role == UserRole ? $"{++turn}" : "";
            Write($"{number,3} {message.Role + ":",-10} {message.Content.ReplaceLineEndings("\n" + new string(' ', 15))}");
        }

        if (_messages.Count == 0)
            terminal.WriteNote("nothing has been said yet");
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
                        terminal.WriteNote(started.Edit is { } receipt ? $"{change}: {TurnText.Describe(receipt)}" : $"{change}: nothing differs");
                        break;
                    case TurnToken token:
                        answer.Write(token.Text);
                        break;
                    case TurnCompleted completed:
                        answer.End();
                        _messages = [.. history, new ChatMessage(completed.Message.Role, completed.Message.Content)];
                        _version = completed.Version;
                        terminal.WriteNote(TurnText.Describe(TurnCount, completed));
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
