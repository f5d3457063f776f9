using KvTiers.Blocks;
using KvTiers.Conversations;
using KvTiers.Diagnostics;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Tests;

/// <summary>One process, as it were: cache, engine and conversations over the tiny model, on a store that may outlive it.</summary>
internal sealed class ConversationHost : IAsyncDisposable
{
    public const string Tenant = "tests";

    // The same in every process, so that one finds what another left.
    private static readonly TenantSalts Salts = new(new byte[TenantSalts.ByteCount]);

    private readonly TemporaryFolder? _folder;

    public ConversationHost(TinyModel model, IConversationStore? store = null, int blocks = 512, LocalConversationsOptions? options = null, ManualTime? time = null, double pinnedShare = 0.5, long ramBytes = 0, TierPlaces? places = null, EngineOptions? engine = null, ChatTemplate? template = null, int? contextTokens = null, ConversationOptions? conversations = null)
    {
        if (store is null)
            _folder = new();
        Store = store ?? new FileConversationStore(new() { Folder = _folder!.Path, Sync = false });
        Time = time ?? new();
        Model = new(model.Load(), contextTokens);
        BlockLayout layout = Model.Config.CreateLayout(KvFormat.F32);
        IReadOnlyList<TierOptions> tiers = places?.Open(layout) ?? (ramBytes == 0 ? [] : [TierOptions.Ram(ramBytes)]);

        // A block is given up when a device does not keep pace for so long, which is not what is tested.
        var hot = new KvCacheOptions { HotBlocks = blocks, Prefault = false, EvictionPatience = TimeSpan.FromMinutes(1) };
        if (tiers.Count > 0)
            Tiers = TieredCache.OpenAsync(layout, new() { Hot = hot, Tiers = tiers, Promotion = PromotionPolicy.Always }, Time).GetAwaiter().GetResult();
        Cache = Tiers?.Cache ?? new KvCache(layout, hot, Time);
        Engine = new Engine(Model, model.Prompt.Tokenizer, Cache, engine ?? new EngineOptions(), tiers: Tiers);
        Prompt = template is null ? model.Prompt : new(template, model.Prompt.Tokenizer);
        conversations ??= new() { ModelName = "tiny", Defaults = new() { MaxTokens = 12, Temperature = 0 } };
        Services = new(Engine, Prompt, Store, Salts, conversations with { PinnedShare = pinnedShare }, Time);
        Conversations = new(Services, options);
    }

    public IConversationStore Store { get; }

    public ChatPrompt Prompt { get; }

    public ManualTime Time { get; }

    public SteppedModel Model { get; }

    public KvCache Cache { get; }

    public TieredCache? Tiers { get; }

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
        TakenTurn.ReadAsync(Conversations.RegenerateAsync(Key(id), options ?? new())).WaitAsync(HangLimit.Time);

    public Task<TakenTurn> Take(string id, TurnRequest request, CancellationToken cancellationToken = default) =>
        TakenTurn.ReadAsync(Conversations.TurnAsync(Key(id), request, cancellationToken)).WaitAsync(HangLimit.Time, CancellationToken.None);

    /// <summary>A message whose answer goes on until it is cut off.</summary>
    public TurnRequest Endless(string text, int maxTokens = 2000) => new()
    {
        Messages = [new("user", text)],
        Options = new() { MaxTokens = maxTokens, LogitBias = [.. Engine.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))] },
    };

    /// <summary>Begins a turn, does something when it has given a few tokens and stands still, and reads on or, at false, leaves.</summary>
    public async Task<TakenTurn?> Interrupt(TurnRequest request, Func<Task<bool>> interruption, string id = "c", CancellationToken cancellationToken = default)
    {
        List<TurnEvent> events = [];
        Model.StopAfter(3);
        await foreach (TurnEvent one in Conversations.TurnAsync(Key(id), request, cancellationToken))
        {
            events.Add(one);
            if (events.Count != 3)
                continue;
            bool goesOn = await interruption();
            Model.GoSlowly();
            if (!goesOn)
                return null;
        }

        return new((TurnStarted)events[0], [.. events[1..^1].Cast<TurnToken>()], (TurnCompleted)events[^1]);
    }

    /// <summary>Lets the clock run while something waits, so that idle conversations make room.</summary>
    public async Task WhileTimePasses(Task waiting)
    {
        while (await Task.WhenAny(waiting, Task.Delay(20)) != waiting)
            Time.Advance(TimeSpan.FromSeconds(1));
        await waiting;
    }

    /// <summary>A conversation with a system prompt.</summary>
    public Task<ConversationView> Create(string id = "c", string system = "You are a kind and careful assistant.") =>
        Conversations.CreateAsync(Tenant, new() { Id = id, Messages = [new("system", system)] });

    public async Task<int[]> Log(string id = "c") => (await Store.ReadAsync(Key(id)))!.Log.Tokens.ToArray();

    /// <summary>Ends as a process that is killed: what calls were about to do is never done. What is in memory is lost, but for what the tiers had taken.</summary>
    public async Task AbandonAsync()
    {
        Model.Go();
        await Engine.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
        if (Tiers is not null)
            await Tiers.DisposeAsync();
        Cache.Dispose();
        Model.Dispose();
    }

    /// <summary>Lets the clock run until nothing is owed to a tier any more.</summary>
    public async Task UntilNothingIsOwed()
    {
        for (int second = 0; second < 600 && Services.Erasures.OwedCount > 0; second++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Services.Erasures.IdleAsync().WaitAsync(HangLimit.Time);
        }

        await Services.Erasures.IdleAsync().WaitAsync(HangLimit.Time);
        Assert.Equal(0, Services.Erasures.OwedCount);
    }

    public async ValueTask DisposeAsync()
    {
        Model.Go();
        await Conversations.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
        await Engine.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
        CacheIntegrity.Check(Cache);
        Assert.Equal(0, Cache.Snapshot().Leases);
        Assert.Equal(0, Cache.Snapshot().Pins);
        if (Tiers is not null)
            await Tiers.DisposeAsync();
        Cache.Dispose();
        Model.Dispose();
        _folder?.Dispose();
    }
}
