using System.Runtime.CompilerServices;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Tests.Load;

/// <summary>A silo over conversations that it shares with others. It answers with a digest of the history, and fails as it is told.</summary>
internal sealed class FakeSilo(Dictionary<string, FakeSilo.Stored> shared) : IConversations
{
    private int _turns;

    /// <summary>Every so many turns one fails before anything is stored; 0 = never.</summary>
    public int FailsBefore { get; init; }

    /// <summary>Every so many turns one is stored and its end is not sent; 0 = never.</summary>
    public int FailsAfter { get; init; }

    /// <summary>Whether answers from the cache differ from others.</summary>
    public bool IsWrong { get; init; }

    /// <summary>Whether a stored turn is forgotten.</summary>
    public bool Forgets { get; init; }

    public Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default)
    {
        lock (shared)
        {
            var stored = new Stored { Version = 1, Messages = [.. request.Messages ?? []] };
            if (!shared.TryAdd(request.Id!, stored))
                throw new ConversationConflictException(new ConversationKey(tenant, request.Id!), "It is there.");
            return Task.FromResult(View(request.Id!, stored));
        }
    }

    public Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        lock (shared)
            return Task.FromResult(View(key.Id, shared[key.Id]));
    }

    public async IAsyncEnumerable<TurnEvent> TurnAsync(ConversationKey key, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        int turn = Interlocked.Increment(ref _turns);
        if (FailsBefore > 0 && turn % FailsBefore == 0)
            throw new KvTiersServerException("busy", System.Net.HttpStatusCode.ServiceUnavailable);
        Stored stored;
        string answer;
        lock (shared)
        {
            stored = shared[key.Id];
            if (request.ExpectedVersion != stored.Version)
                throw new ConversationConflictException(key, "Another version is stored.", actualVersion: stored.Version);
            List<ChatMessage> history = request.Mode == TurnMode.History ? [.. request.Messages] : [.. stored.Messages, .. request.Messages];
            int hash = history.Aggregate(17, (so, message) => unchecked((so * 31) + message.Content!.Sum(letter => letter) + message.Role.Length));
            answer = $"answer {hash:x}" + (IsWrong && request.Options.UseCache && turn % 3 == 0 ? "!" : "");
            if (!Forgets || turn % 3 != 0)
                shared[key.Id] = stored = new Stored { Version = stored.Version + 1, Messages = [.. history, new ChatMessage("assistant", answer)] };
        }

        yield return new TurnStarted { Conversation = key.Id, PromptTokens = 10 };
        yield return new TurnToken { TokenId = 1, Text = answer };
        if (FailsAfter > 0 && turn % FailsAfter == 0)
            throw new KvTiersServerException("broke off");
        yield return new TurnCompleted
        {
            Conversation = key.Id,
            Version = stored.Version,
            Message = new MessageView { Index = stored.Messages.Count - 1, Role = "assistant", Content = answer, TokenStart = 0, TokenCount = 2 },
            FinishReason = "stop",
            Usage = new TurnUsage
            {
                PromptTokens = 10,
                CompletionTokens = 2,
                Cached = new CachedTokens { Hot = 3, Redis = 4 },
                ComputedTokens = 3,
                InvalidatedTokens = 0,
                TtftMs = 1,
                TotalMs = 2,
            },
        };
    }

    public Task<DeleteReceipt> DeleteAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        lock (shared)
            shared.Remove(key.Id);
        return Task.FromResult(new DeleteReceipt { Conversation = key.Id, Tiers = [], BlocksShared = 0 });
    }

    public Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<ConversationPage> ListPageAsync(string tenant, int limit = ConversationPage.DefaultLimit, string? after = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<EditReceipt> EditAsync(ConversationKey key, EditRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<EditReceipt> TruncateAsync(ConversationKey key, int index, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<ConversationView> ForkAsync(ConversationKey key, ForkRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<EditReceipt> UndoAsync(ConversationKey key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<WarmReceipt> WarmAsync(ConversationKey key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<PinReceipt> PinAsync(ConversationKey key, TimeSpan? ttl, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task UnpinAsync(ConversationKey key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<Explanation> ExplainAsync(ConversationKey key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    private static ConversationView View(string id, Stored stored) => new()
    {
        Id = id,
        Version = stored.Version,
        Model = "fake",
        Messages = [.. stored.Messages.Select((message, i) => new MessageView { Index = i, Role = message.Role, Content = message.Content!, TokenStart = 0, TokenCount = 1 })],
        TokenCount = stored.Messages.Count,
        CreatedAt = default,
        UpdatedAt = default,
        UndoDepth = 0,
    };

    internal sealed record Stored
    {
        public required long Version { get; init; }

        public required List<ChatMessage> Messages { get; init; }
    }
}
