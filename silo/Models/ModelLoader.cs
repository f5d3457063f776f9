using KvTiers.Blocks;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Hosting;
using KvTiers.Sessions;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Limits;
using KvTiers.Tiers;

namespace KvTiers.Silo.Models;

/// <summary>Loads a model folder or file, puts cache, engine and conversations on it, and warms the kernels.</summary>
/// <remarks>The silo is asked for only when there are conversations for it: to make it takes as long as the loading of a small model, on another thread.</remarks>
internal sealed partial class ModelLoader(
    SiloOptions options, ApiKeys keys, TenantRates rates, IServiceProvider services, TimeProvider time, ILoggerFactory loggers, StoreDecorator? decorate = null)
{
    // Enough for the engine's own code to have run and to know how fast it computes prompts, and few enough not to be noticed; the kernels are warm before.
    private const int WarmUpTokens = 16;

    private readonly ILogger _logger = loggers.CreateLogger<ModelLoader>();
    private volatile string? _waitsFor;

    /// <summary>What the loading cannot go on without and does not have yet; null = nothing.</summary>
    public string? WaitsFor => _waitsFor;

    /// <summary>Loads <see cref="SiloOptions.Model"/>.</summary>
    /// <exception cref="ModelFormatException">A weight or configuration file is missing or wrong.</exception>
    /// <exception cref="TokenizerFormatException">The tokenizer is missing or wrong.</exception>
    /// <exception cref="StartException">The hot tier is too small for the model.</exception>
    public async Task<LoadedModel> LoadAsync(CancellationToken cancellationToken)
    {
        Task<Tokenizer> tokenizerLoading = Task.Run(() => Tokenizer.Load(options.Model), cancellationToken);
        LanguageModel weights = options.Engine == EngineKind.Torch ? TorchEngine.Open(options, _logger) : OwnEngine.Open(options, _logger, loggers.CreateLogger<LanguageModel>());
        string name = ModelFolder.NameOf(options.Model);
        ModelLoaded(_logger, name, weights.Config.Architecture, weights.Config.Layers, weights.Config.Hidden, weights.Config.ContextLength, options.Model);

        weights.WarmUp(options.Kv);
        Tokenizer tokenizer = await tokenizerLoading;
        BlockLayout layout = Layout(weights.Config);
        var hot = new KvCacheOptions { HotBytes = options.HotBytes, Prefault = false };
        TieredCache? tiers = await TierComposition.OpenAsync(
            options, hot, layout, time, decorate, keys.HasTierBytes || HasTiers ? tenant => keys.LimitsOf(tenant).TierBytes : null, trouble => Trouble(_logger, trouble));
        KvCache cache = tiers?.Cache ?? new KvCache(layout, hot, time);
        HotTier(_logger, ByteSize.Format((long)cache.Pool.Capacity * cache.Shape.BytesPerBlock), cache.Pool.Capacity, cache.Shape.BlockSize, options.Kv);

        foreach (TierUsage tier in tiers?.Usage ?? [])
            ColderTier(_logger, tier.Name, ByteSize.Format(tier.CapacityBytes), tier.Blocks);
        if (tiers is { Losses.Length: > 0 })
            Lossy(_logger);

        var engine = new Engine(weights, tokenizer, cache, new EngineOptions { MaxWaiting = 2 * options.MaxTurns, WeightOf = keys.WeightOf, Ended = rates.Charge }, time, loggers.CreateLogger<Engine>(), tiers);
        await WarmAsync(engine, cancellationToken);
        SamplingOptions sampling = SamplingDefaults.Load(options.Model);
        IConversationStore store = await StoreComposition.OpenAsync(options, time, trouble => Trouble(_logger, trouble));
        TenantSalts salts = await SaltsAsync(store, cancellationToken);
        ChatParts chat = await ChatAsync(engine, store, salts, name, sampling);
        await ComputeSystemPromptsAsync(engine, chat, salts, cancellationToken);
        return new LoadedModel
        {
            Name = name,
            WrittenAt = ModelFolder.WrittenAt(options.Model),
            Weights = weights,
            EngineKind = options.Engine,
            Tokenizer = tokenizer,
            ChatParts = chat,
            Salts = salts,
            SamplingDefaults = sampling,
            Cache = cache,
            Engine = engine,
            FlushTime = options.StopGrace,
            ContextKeep = options.Context.Keep,
        };
    }

    private bool HasTiers => options is { RamBytes: > 0 } or { DiskBytes: > 0 } or { Redis: not null } or { TenantBytes: > 0 };

    private async Task<TenantSalts> SaltsAsync(IConversationStore store, CancellationToken cancellationToken)
    {
        var shared = store as ISharedSecret;
        if (shared is not null && !TenantSecret.IsKnown(options))
            _waitsFor = $"the conversation store's Redis at {Redacted.ConnectionString(StoreSettings.AddressOf(options))}: this server has no copy yet of the secret on which the servers of that store agree";
        TenantSalts salts = await TenantSecret.OpenAsync(options, shared, loggers.CreateLogger<TenantSalts>(), time, cancellationToken);
        _waitsFor = null;
        return salts;
    }

    private BlockLayout Layout(ModelConfig config)
    {
        BlockLayout layout = config.CreateLayout(options.Kv);
        if (options.HotBytes < layout.BytesPerBlock)
        {
            throw new StartException(new SettingError(
                "KvTiers:Hot", ByteSize.Format(options.HotBytes), $"at least one block of this model, {ByteSize.Format(layout.BytesPerBlock)}").ToString());
        }

        return layout;
    }

    private async Task<ChatParts> ChatAsync(Engine engine, IConversationStore store, TenantSalts salts, string modelName, SamplingOptions sampling)
    {
        ChatTemplate template;
        try
        {
            template = ChatTemplate.Load(options.Model, time, options.Template);
        }
        catch (TemplateException e)
        {
            ChatOff(_logger, modelName, e.Message);
            if (store is IAsyncDisposable unused) await unused.DisposeAsync();
            return new ChatParts(null, null, e.Message + ".");
        }

        Probe(template, modelName);
        var prompt = new ChatPrompt(template, engine.Tokenizer);
        var defaults = new GenerationOptions
        {
            MaxTokens = options.AnswerTokens,
            Temperature = sampling.Temperature,
            TopP = sampling.TopP,
            TopK = sampling.TopK,
            MinP = sampling.MinP,
            RepetitionPenalty = sampling.RepetitionPenalty,
        };
        var conversations = new ConversationOptions
        {
            ModelName = modelName,
            Defaults = defaults,
            Owner = $"{options.Name}:{options.Data}",
            ContextPolicy = options.Context.Policy,
            ContextKeep = options.Context.Keep,
            SummaryTokens = options.Context.SummaryTokens,
            MostConversations = tenant => keys.LimitsOf(tenant).Conversations,
        };
        var parts = new ConversationServices(engine, prompt, store, salts, conversations, time);
        var local = new LocalConversations(parts, new LocalConversationsOptions { WarmAhead = options.WarmAhead, IdleAfter = options.Orleans.IdleAfter });
        return new ChatParts(prompt, local, null) { Store = store, Door = services.GetRequiredService<SiloConversations>().Open(local) };
    }

    private void Probe(ChatTemplate template, string modelName)
    {
        try
        {
            foreach (TemplateFault fault in TemplateProbes.Check(template))
                CannotWrite(_logger, modelName, fault.Chat, fault.Error.Message);
        }
        catch (TemplateException e)
        {
            throw new StartException(
                $"The model in '{options.Model}' cannot chat: {e.Message}. Mend its template, or remove it (chat_template.jinja, chat_template in tokenizer_config.json): without one it completes text only.", e);
        }
    }

    private async Task ComputeSystemPromptsAsync(Engine engine, ChatParts chat, TenantSalts salts, CancellationToken cancellationToken)
    {
        if (options.SystemPrompts.Count == 0) return;
        if (chat.Prompt is null) throw new StartException($"KvTiers:SystemPrompts: must be removed, as the model cannot chat: {chat.Failure}");
        await new SystemPrompts(engine, chat.Prompt, salts, loggers.CreateLogger<SystemPrompts>()).ComputeAsync(options.SystemPrompts, keys.Tenants, cancellationToken);
    }

    private static async Task WarmAsync(Engine engine, CancellationToken cancellationToken)
    {
        int length = Math.Min(WarmUpTokens, engine.Model.Config.ContextLength / 2);
        Generation generation = engine.Submit(
            new GenerationRequest
            {
                Prompt = new int[length],
                Sampling = SamplingOptions.Greedy,
                MaxNewTokens = length / 2,
                IgnoreEndOfText = true,
                UseCache = false,
            },
            cancellationToken);
        await generation.Completion.WaitAsync(cancellationToken);
    }

    [LoggerMessage(7, LogLevel.Warning, "Mended: {Trouble}")]
    private static partial void Trouble(ILogger logger, string trouble);

    [LoggerMessage(4, LogLevel.Warning, "{Name} cannot chat, only complete text: {Reason}")]
    private static partial void ChatOff(ILogger logger, string name, string reason);

    [LoggerMessage(8, LogLevel.Warning, "The chat template of {Name} cannot write {Chat}; requests with such a chat are refused: {Reason}")]
    private static partial void CannotWrite(ILogger logger, string name, string chat, string reason);

    [LoggerMessage(1, LogLevel.Information, "Model {Name}: {Architecture}, {Layers} layers of width {Width}, context {Context} tokens, from {Folder}")]
    private static partial void ModelLoaded(ILogger logger, string name, string architecture, int layers, int width, int context, string folder);

    [LoggerMessage(5, LogLevel.Information, "Tier {Tier}: {Size}, {Blocks} blocks held")]
    private static partial void ColderTier(ILogger logger, string tier, string size, long blocks);

    [LoggerMessage(6, LogLevel.Warning, "A tier stores fewer bits than the hot one: answers may depend on what was cached. Blocks are shared only with servers of the same formats")]
    private static partial void Lossy(ILogger logger);

    [LoggerMessage(3, LogLevel.Information, "Hot tier {Size}: {Blocks} blocks of {Tokens} tokens, {Format}")]
    private static partial void HotTier(ILogger logger, string size, int blocks, int tokens, KvFormat format);
}
