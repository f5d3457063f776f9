using KvTiers.Blocks;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Prefix;
using KvTiers.Tiers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvTiers.Inference.Scheduling;

/// <summary>Runs requests through the model, many at a time, computing of each only what the cache does not hold.</summary>
/// <remarks>
/// One thread of its own: it takes submissions, plans a step, runs the model, samples, hands out tokens, and again. What a request gets does not depend
/// on what else runs: logits are bit-identical however they are batched, and draws are counter-based. The engine owns neither model nor cache;
/// dispose it before them. Whatever throws ends the generations of exactly those sequences that it was done for; the others go on, and the engine can always be disposed.
/// </remarks>
public sealed partial class Engine : IAsyncDisposable
{
    // How long blocked sequences wait before they look for free blocks again; only blocks held outside the engine can block them all.
    private static readonly TimeSpan BlockedPoll = TimeSpan.FromMilliseconds(5);

    private readonly EngineOptions _options;
    private readonly ILogger _logger;
    private readonly Scheduler _scheduler;
    private readonly PrefillBound _prefillBound;
    private readonly Sampler _sampler;
    private readonly StepBatch _batch;
    private readonly EngineMetrics _metrics;
    private readonly HashSet<int> _endOfText;
    private readonly int _sampledVocabulary;
    private readonly List<int> _bans = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Of the engine's thread: what it took from the queues below.
    private readonly List<Sequence> _arrived = [];
    private readonly List<PromotedSequence> _returned = [];

    private readonly TenantPlaces _places;

    // Guards the five fields below it; the engine's thread waits on it.
    private readonly object _gate = new();
    private readonly Queue<Sequence> _submitted = new();
    private readonly Queue<PromotedSequence> _promoted = new();
    private bool _hasCancellations;
    private bool _isStopping;
    private long _lastNumber;

    /// <summary>Starts the engine's thread.</summary>
    /// <param name="model">What computes.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="cache">Where K and V are kept.</param>
    /// <param name="options">How steps are shared.</param>
    /// <param name="time">The clock; the system's by default.</param>
    /// <param name="logger">Where starts, stops and failures are told.</param>
    /// <param name="tiers">The whole that <paramref name="cache"/> is the hot tier of; null where there are no colder ones.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the cache's blocks have another shape than the model's.</exception>
    public Engine(LanguageModel model, Tokenizer tokenizer, KvCache cache, EngineOptions options, TimeProvider? time = null, ILogger<Engine>? logger = null, TieredCache? tiers = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (cache.Shape is not BlockLayout layout || layout != model.Config.CreateLayout(layout.Format, layout.BlockSize))
            throw new ArgumentException($"The cache's blocks are {cache.Shape}; the model needs {model.Config.CreateLayout(blockSize: cache.Shape.BlockSize)}, or the same in BF16.", nameof(cache));

        Model = model;
        Tokenizer = tokenizer;
        Constraints = new ConstraintCache(tokenizer);
        Cache = cache;
        Tiers = tiers;
        Time = time ?? TimeProvider.System;
        _options = options;
        _places = new TenantPlaces(options.MaxRunning + options.MaxWaiting, Time);
        _logger = logger ?? NullLogger<Engine>.Instance;
        _prefillBound = new PrefillBound(options.MaxPrefillDelay, options.MaxTokensPerStep);
        _scheduler = new Scheduler(cache, options, hasTiers: tiers is not null) { PrefillBesideDecode = _prefillBound.Tokens };
        _sampledVocabulary = Math.Min(model.Config.Vocabulary, tokenizer.VocabularySize);
        _sampler = new Sampler(_sampledVocabulary);
        _batch = new StepBatch(layout, model.Config.Vocabulary);
        _endOfText = [.. tokenizer.EndOfText];
        _metrics = new EngineMetrics(this);
        new Thread(Run) { IsBackground = true, Name = "kvtiers-engine" }.Start();
    }

    /// <summary>The model.</summary>
    public LanguageModel Model { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>What answers can be held to, compiled for the tokenizer once while it is in use.</summary>
    public ConstraintCache Constraints { get; }

    /// <summary>Where its K and V are kept.</summary>
    public KvCache Cache { get; }

    /// <summary>Where blocks go that the cache evicts; null for nowhere.</summary>
    public TieredCache? Tiers { get; }

    internal TimeProvider Time { get; }

    /// <summary>Called on the engine's thread before each thing that is done for a sequence, by tests. Set before the first submission.</summary>
    internal Action<EngineStage, Sequence>? BeforeStage
    {
        get => _scheduler.BeforeStage;
        set => _scheduler.BeforeStage = value;
    }

    /// <summary>The hash under which a tenant's blocks of this model are found, as the tiers leave them.</summary>
    public BlockHash RootFor(ReadOnlySpan<byte> tenantSalt) =>
        Tiers?.RootFor(Model.Fingerprint.Span, tenantSalt) ?? BlockHash.Root(Model.Fingerprint.Span, Cache.Shape, tenantSalt);

    /// <summary>Tokens that prompt and output of one choice can have together: the model's context, or all that the pool holds.</summary>
    public int MaxTokenCount => (int)Math.Min(Model.Config.ContextLength, (long)Cache.Pool.Capacity * Cache.Shape.BlockSize);

    /// <summary>Queues a request.</summary>
    /// <param name="request">What to continue and how.</param>
    /// <param name="cancellationToken">Stops computing at the next step and gives the blocks back.</param>
    /// <exception cref="ArgumentException">A value is out of range; the parameter name is the property.</exception>
    /// <exception cref="PromptTooLongException">The prompt leaves no room for a new token.</exception>
    /// <exception cref="EngineBusyException">There are as many sequences as may be, or as many of this tenant as its share is.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public Generation Submit(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validate();
        if (request.Embedding is not null && !Model.HasHiddenStates)
            throw new ArgumentException("Embedding is asked for, and this engine's model gives no hidden states.", nameof(request.Embedding));
        CheckTokens(request);
        if (request.Constraint is { } constraint && !constraint.IsFor(Tokenizer))
            throw new ArgumentException("Constraint is made for another tokenizer; it must be made for the engine's own.", nameof(request.Constraint));
        int maxTokenCount = Math.Min(CheckLength(request), (int)Math.Min(int.MaxValue, (long)request.Prompt.Length + request.MaxNewTokens));
        BadWords? badWords = request.BadWords.Count == 0 ? null : BadWords.Compile(request.BadWords, Tokenizer, _sampledVocabulary);
        BlockHash root = RootFor(request.TenantSalt.Span);
        string tenant = request.Tenant ?? root.ToString();
        double weight = _options.WeightOf?.Invoke(tenant) ?? double.PositiveInfinity;
        if (request.SequenceCount > _places.MostFor(weight))
            throw new ArgumentException($"Choices is {request.SequenceCount}; it must be at most {_places.MostFor(weight)}, as many sequences as one tenant may have in the engine.", nameof(request.Choices));
        long seed = request.Sampling.Seed ?? Random.Shared.NextInt64();
        var generation = new Generation(this, request, root, Interlocked.Increment(ref _lastNumber), maxTokenCount, seed) { BadWords = badWords, Tenant = tenant };
        var sequence = new Sequence(generation, Tokenizer);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            if (!_places.TryTake(tenant, weight, request.SequenceCount, out TimeSpan retryAfter))
                throw new EngineBusyException(_options.MaxWaiting, retryAfter);
            if (request.Tenant is not null)
                Tiers?.Assign(root, request.Tenant);
            generation.CancelWith(cancellationToken);
            _submitted.Enqueue(sequence);
            Monitor.Pulse(_gate);
        }

        return generation;
    }

    /// <summary>Cancels what runs and waits, and ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        await _stopped.Task.ConfigureAwait(false);
    }

    internal void NoteCancellation()
    {
        lock (_gate)
        {
            _hasCancellations = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>A generation has its result, or its error: on the engine's thread, once for each.</summary>
    internal void Leave(Generation generation)
    {
        _places.Give(generation.Tenant, generation.Request.SequenceCount);
        if (_options.Ended is { } ended)
            Tell(() => ended(generation.Tenant, generation.ComputedTokenCount + generation.GeneratedTokenCount));
    }

    private void CheckTokens(GenerationRequest request)
    {
        foreach (int id in request.Prompt.Span)
        {
            if ((uint)id >= (uint)Model.Config.Vocabulary)
                throw new ArgumentException($"Prompt holds token {id}; ids must be from 0 to {Model.Config.Vocabulary - 1}.", nameof(request.Prompt));
        }

        foreach (int id in request.StopTokenIds)
        {
            if ((uint)id >= (uint)Model.Config.Vocabulary)
                throw new ArgumentException($"StopTokenIds holds token {id}; ids must be from 0 to {Model.Config.Vocabulary - 1}.", nameof(request.StopTokenIds));
        }
    }

    private int CheckLength(GenerationRequest request)
    {
        int limit = MaxTokenCount;
        int maxPrompt = limit - Math.Min(1, request.MaxNewTokens);
        if (request.Prompt.Length <= maxPrompt)
            return limit;
        string reason = limit == Model.Config.ContextLength ? $"the model's context is {limit} tokens" : $"the block pool holds {limit} tokens";
        throw new PromptTooLongException(request.Prompt.Length, maxPrompt, request.MaxNewTokens == 0 ? reason : reason + ", one of them new");
    }
}
