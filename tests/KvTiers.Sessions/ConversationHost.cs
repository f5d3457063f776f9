using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>One process, as it were: cache, engine and conversations over the tiny model, on a store that may outlive it.</summary>
internal sealed class ConversationHost : IAsyncDisposable
{
    public const string Tenant = "tests";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder? _folder;
    private readonly LanguageModel _model;

    public ConversationHost(TinyModel model, IConversationStore? store = null, int blocks = 512, LocalConversationsOptions? options = null, ManualTime? time = null, double pinnedShare = 0.5)
    {
        if (store is null)
            _folder = new();
        Store = store ?? new FileConversationStore(new() { Folder = _folder!.Path, Sync = false });
        Time = time ?? new();
        _model = model.Load();
        Cache = new KvCache(_model.Config.CreateLayout(KvFormat.F32), new KvCacheOptions { HotBlocks = blocks, Prefault = false }, Time);
        Engine = new Engine(_model, model.Prompt.Tokenizer, Cache, new EngineOptions());
        Services = new(Engine, model.Prompt, Store, new() { ModelName = "tiny", Defaults = new() { MaxTokens = 12, Temperature = 0 }, PinnedShare = pinnedShare }, Time);
        Conversations = new(Services, options);
    }

    public IConversationStore Store { get; }

    public ManualTime Time { get; }

    public KvCache Cache { get; }

    public Engine Engine { get; }

    public ConversationServices Services { get; }

    public LocalConversations Conversations { get; }

    /// <summary>Blocks that hold something matchable or private.</summary>
    public int UsedBlocks => Cache.Pool.Capacity - Cache.Pool.FreeCount;

    public static ConversationKey Key(string id = "c") => new(Tenant, id);

    public Task<TakenTurn> Turn(string text, string id = "c", GenerationOptions? options = null) =>
        Take(id, new() { Messages = [new("user", text)], Options = options ?? new() });

    public Task<TakenTurn> History(IReadOnlyList<ChatMessage> messages, string id = "c", GenerationOptions? options = null) =>
        Take(id, new() { Mode = TurnMode.History, Messages = messages, Options = options ?? new() });

    public Task<TakenTurn> Regenerate(string id = "c", GenerationOptions? options = null) =>
        TakenTurn.ReadAsync(Conversations.RegenerateAsync(Key(id), options ?? new())).WaitAsync(Patience);

    public Task<TakenTurn> Take(string id, TurnRequest request, CancellationToken cancellationToken = default) =>
        TakenTurn.ReadAsync(Conversations.TurnAsync(Key(id), request, cancellationToken)).WaitAsync(Patience, CancellationToken.None);

    /// <summary>A conversation with a system prompt.</summary>
    public Task<ConversationView> Create(string id = "c", string system = "You are a kind and careful assistant.") =>
        Conversations.CreateAsync(Tenant, new() { Id = id, Messages = [new("system", system)] });

    public async Task<int[]> Log(string id = "c") => (await Store.ReadAsync(Key(id)))!.Log.Tokens.ToArray();

    public async ValueTask DisposeAsync()
    {
        await Conversations.DisposeAsync().AsTask().WaitAsync(Patience);
        await Engine.DisposeAsync().AsTask().WaitAsync(Patience);
        CacheIntegrity.Check(Cache);
        Assert.Equal(0, Cache.Snapshot().Leases);
        Assert.Equal(0, Cache.Snapshot().Pins);
        Cache.Dispose();
        _model.Dispose();
        _folder?.Dispose();
    }
}
