using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Sessions.Tests;

/// <summary>One process, as it were: cache, engine and conversations over the tiny model, on a store that may outlive it.</summary>
internal sealed class ConversationHost : IAsyncDisposable
{
    public const string Tenant = "tests";

    private readonly TemporaryFolder? _folder;

    public ConversationHost(TinyModel model, IConversationStore? store = null, int blocks = 512, LocalConversationsOptions? options = null, ManualTime? time = null, double pinnedShare = 0.5, long ramBytes = 0, TierPlaces? places = null)
    {
        if (store is null)
            _folder = new();
        Store = store ?? new FileConversationStore(new() { Folder = _folder!.Path, Sync = false });
        Time = time ?? new();
        Model = new(model.Load());
        BlockLayout layout = Model.Config.CreateLayout(KvFormat.F32);
        Tiers = places?.Stack(layout) ?? (ramBytes == 0 ? null : new TierStack(new() { Tiers = [Ram(layout, ramBytes)], Promotion = PromotionPolicy.Always }, Time));
        Cache = new KvCache(layout, new KvCacheOptions { HotBlocks = blocks, Prefault = false }, Time, Tiers);
        Tiers?.Attach(Cache);
        Engine = new Engine(Model, model.Prompt.Tokenizer, Cache, new EngineOptions(), tiers: Tiers);
        Services = new(Engine, model.Prompt, Store, new() { ModelName = "tiny", Defaults = new() { MaxTokens = 12, Temperature = 0 }, PinnedShare = pinnedShare }, Time);
        Conversations = new(Services, options);
    }

    public IConversationStore Store { get; }

    public ManualTime Time { get; }

    public SteppedModel Model { get; }

    public KvCache Cache { get; }

    public TierStack? Tiers { get; }

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

    private static TierOptions Ram(BlockLayout layout, long bytes)
    {
        var format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        return new() { Tier = new BlockTier("ram", format, new RamStore(format.RecordBytes, bytes)), Immediate = true };
    }
}
