using System.Diagnostics;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Load;

/// <summary>One simulated user: takes the turns of a script, each on the silo it is given, and keeps account of what was acknowledged.</summary>
/// <remarks>
/// Every turn names the version it follows. One whose acknowledgement was lost is sent again; if it had been stored the server says so, and the stored
/// answer counts: nothing is said twice.
/// </remarks>
internal sealed class LoadConversation(IReadOnlyList<IConversations> silos, ConversationKey key, int number, LoadOptions options, LoadTally tally)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly Random _random = new(unchecked((options.Seed * 31) + number));
    private readonly List<ChatMessage> _messages = [];
    private long _version;

    /// <summary>What was acknowledged.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>Creates the conversation with its system prompt.</summary>
    /// <returns>False when no silo could for as long as <see cref="LoadOptions.Patience"/>.</returns>
    public Task<bool> BeginAsync(string? system, CancellationToken cancellationToken)
    {
        if (system is not null)
            _messages.Add(new ChatMessage("system", system));
        return PersistAsync($"conversation {number}: creation", async silo =>
        {
            try
            {
                _version = (await silos[silo].CreateAsync(key.Tenant, new CreateConversation { Id = key.Id, Messages = _messages }, cancellationToken).ConfigureAwait(false)).Version;
            }
            catch (ConversationConflictException)
            {
                _version = (await silos[silo].GetAsync(key, cancellationToken).ConfigureAwait(false)).Version; // created, and the answer was lost
            }
        }, cancellationToken);
    }

    /// <summary>Takes one turn.</summary>
    /// <param name="step">What is said.</param>
    /// <param name="turn">Its number, from 0.</param>
    /// <param name="useCache">False computes everything anew.</param>
    /// <param name="clock">Runs since the run's start.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>Null when no silo could for as long as <see cref="LoadOptions.Patience"/>.</returns>
    public async Task<LoadTurn?> TakeAsync(LoadStep step, int turn, bool useCache, Stopwatch clock, CancellationToken cancellationToken)
    {
        List<ChatMessage> history = [.. Kept(step.Replaces), new ChatMessage("user", step.Text)];
        TimeSpan sentAt = clock.Elapsed;
        LoadTurn? taken = null;
        bool done = await PersistAsync($"conversation {number}, turn {turn}", async silo =>
        {
            TimeSpan? ttft = null;
            var request = new TurnRequest
            {
                Mode = step.Replaces is null ? TurnMode.Append : TurnMode.History,
                Messages = step.Replaces is null ? [history[^1]] : history,
                ExpectedVersion = _version,
                Options = new GenerationOptions { MaxTokens = options.AnswerTokens, Temperature = 0, UseCache = useCache },
            };
            var so = new LoadTurn { Conversation = number, Turn = turn, IsEdit = step.Replaces is not null, Silo = silo, SentAt = sentAt, Duration = TimeSpan.Zero };
            try
            {
                await foreach (TurnEvent one in silos[silo].TurnAsync(key, request, cancellationToken).ConfigureAwait(false))
                {
                    ttft ??= one is TurnToken ? clock.Elapsed - sentAt : null;
                    if (one is TurnCompleted completed)
                    {
                        _version = completed.Version;
                        taken = so with { Ttft = ttft, Duration = clock.Elapsed - sentAt, Usage = completed.Usage, Answer = completed.Message.Content };
                    }
                }

                if (taken is null)
                    throw new KvTiersServerException("The stream ended before the turn was complete.");
            }
            catch (ConversationConflictException)
            {
                ConversationView view = await silos[silo].GetAsync(key, cancellationToken).ConfigureAwait(false);
                if (view.Version != _version + 1 || !Same(view.Messages.SkipLast(1), history))
                    throw;
                _version = view.Version;
                taken = so with { Duration = clock.Elapsed - sentAt, Answer = view.Messages[^1].Content, WasFoundStored = true };
            }
        }, cancellationToken).ConfigureAwait(false);
        if (!done)
            return null;
        _messages.Clear();
        _messages.AddRange([.. history, new ChatMessage("assistant", taken!.Answer!)]);
        return taken;
    }

    /// <summary>Whether what is stored is what was acknowledged.</summary>
    public Task<bool> CheckAsync(CancellationToken cancellationToken) => PersistAsync($"conversation {number}: reading it back", async silo =>
    {
        ConversationView view = await silos[silo].GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (view.Version != _version || !Same(view.Messages, _messages))
            tally.AddWrong($"conversation {number}: silo {silo} has version {view.Version} with {view.Messages.Count} messages, acknowledged were version {_version} with {_messages.Count}");
    }, cancellationToken);

    /// <summary>Deletes it.</summary>
    public Task<bool> DeleteAsync(CancellationToken cancellationToken) => PersistAsync($"conversation {number}: deletion", async silo =>
    {
        try
        {
            await silos[silo].DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (ConversationNotFoundException)
        {
            // Deleted, and the answer was lost.
        }
    }, cancellationToken);

    private IEnumerable<ChatMessage> Kept(int? replaces)
    {
        if (replaces is null)
            return _messages;
        int users = 0;
        return _messages.TakeWhile(message => message.Role != "user" || users++ != replaces);
    }

    private async Task<bool> PersistAsync(string what, Func<int, Task> call, CancellationToken cancellationToken)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await call(_random.Next(silos.Count)).ConfigureAwait(false);
                return true;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
            {
                tally.AddFault(KindOf(exception));
                if (since.Elapsed > options.Patience)
                {
                    tally.AddFailedTurn($"{what}: {exception.Message}");
                    return false;
                }

                await Task.Delay(RetryDelay, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is ConversationConflictException or ConversationNotFoundException or ConversationDamagedException or ArgumentException)
            {
                tally.AddFault(KindOf(exception));
                tally.AddFailedTurn($"{what}: {exception.Message}");
                return false;
            }
        }
    }

    private static string KindOf(Exception exception) => exception switch
    {
        KvTiersServerException { StatusCode: { } status } refusal => $"http {(int)status} {refusal.Code}".TrimEnd(),
        KvTiersServerException { Code: { } code } => code,
        KvTiersServerException => "broken stream",
        HttpRequestException { StatusCode: { } status } => $"http {(int)status}",
        HttpRequestException or IOException => "no connection",
        TimeoutException => "timeout",
        _ => exception.GetType().Name.Replace("Exception", "", StringComparison.Ordinal),
    };

    private static bool Same(IEnumerable<MessageView> stored, IEnumerable<ChatMessage> expected) =>
        stored.Select(message => (message.Role, message.Content)).SequenceEqual(expected.Select(message => (message.Role, message.Content!)));
}
