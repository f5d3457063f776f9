using System.Collections.ObjectModel;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KvTiers.Inference.Model;
using KvTiers.Prefix;

namespace KvTiers.Inference.Scheduling;

/// <summary>A request on its way: its tokens as they come, and its result.</summary>
/// <remarks>The public members are for the caller, on any thread; the internal ones for the engine's thread.</remarks>
public sealed class Generation
{
    private readonly Channel<GeneratedToken> _tokens =
        Channel.CreateUnbounded<GeneratedToken>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource<GenerationResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Engine _engine;
    private readonly ChoiceResult?[] _choices;
    private readonly TokenLogProb?[]? _promptLogProbs;
    private CancellationTokenRegistration _cancellation;
    private int _openChoices;
    private int _readers;
    private volatile bool _isCancelled;

    internal Generation(Engine engine, GenerationRequest request, BlockHash root, long number, int maxTokenCount, long seed)
    {
        _engine = engine;
        Request = request;
        Root = root;
        Number = number;
        MaxTokenCount = maxTokenCount;
        Seed = seed;
        SubmittedAt = engine.Time.GetTimestamp();
        _openChoices = request.Choices;
        _choices = new ChoiceResult?[request.Choices];
        States = request.Embedding is { } pooling ? new PooledStates(pooling) : null;
        _promptLogProbs = request.PromptLogProbs is null ? null : new TokenLogProb?[request.Prompt.Length];
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>
    /// The result, once every choice has ended. Cancelled generations have one too, with the tokens so far. Faults with
    /// <see cref="GenerationFailedException"/> when the model or the cache threw.
    /// </summary>
    public Task<GenerationResult> Completion => _completion.Task;

    /// <summary>The first block hash of the request's tenant.</summary>
    internal BlockHash Root { get; }

    /// <summary>With whom it shares places and steps.</summary>
    internal string Tenant { get; init; } = "";

    /// <summary>Order of submission.</summary>
    internal long Number { get; }

    /// <summary>Tokens that a choice may have, prompt included.</summary>
    internal int MaxTokenCount { get; }

    internal long Seed { get; }

    /// <summary>The request's bad words, ready for sampling; null when it has none.</summary>
    internal BadWords? BadWords { get; init; }

    internal long SubmittedAt { get; }

    internal bool IsCancelled => _isCancelled;

    /// <summary>True once it has its result, or its error.</summary>
    internal bool IsOver => _completion.Task.IsCompleted;

    /// <summary>Prompt tokens whose K and V were found; final once the first token, or the end, has come.</summary>
    public int CachedTokenCount { get; internal set; }

    internal int ComputedTokenCount { get; set; }

    internal int RecomputedTokenCount { get; set; }

    /// <summary>Tokens generated so far, those of every choice and beam.</summary>
    internal long GeneratedTokenCount { get; set; }

    /// <summary>Prompt tokens that each colder tier brought, by its name; null when none was asked.</summary>
    internal Dictionary<string, int>? PromotedTokenCounts { get; set; }

    internal int LeftToComputeTokenCount { get; set; }

    /// <summary>Gathers the prompt's hidden states; null unless they were asked for.</summary>
    internal PooledStates? States { get; }

    internal TimeSpan? TimeToFirstToken { get; set; }

    internal BlockLease? Lease { get; set; }

    /// <summary>Its beams, from the first token on; null without a beam search.</summary>
    internal BeamSearch? Search { get; set; }

    /// <summary>The tokens of all choices as they come; can be read once. Leaving the enumeration early cancels the generation.</summary>
    /// <exception cref="OperationCanceledException">The generation or <paramref name="cancellationToken"/> was cancelled, or the engine disposed.</exception>
    /// <exception cref="GenerationFailedException">The model or the cache threw.</exception>
    /// <exception cref="InvalidOperationException">The tokens were read before.</exception>
    public async IAsyncEnumerable<GeneratedToken> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Increment(ref _readers) > 1)
            throw new InvalidOperationException("The tokens of a generation can be read once.");
        try
        {
            while (await _tokens.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_tokens.Reader.TryRead(out GeneratedToken token))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return token;
                }
            }
        }
        finally
        {
            Cancel();
        }
    }

    /// <summary>Stops computing at the next step and gives the blocks back. Without effect on what is complete.</summary>
    public void Cancel()
    {
        if (_isCancelled || _completion.Task.IsCompleted)
            return;
        _isCancelled = true;
        _engine.NoteCancellation();
    }

    internal void CancelWith(CancellationToken cancellationToken) =>
        _cancellation = cancellationToken.UnsafeRegister(static generation => ((Generation)generation!).Cancel(), this);

    internal void Emit(GeneratedToken token) => _tokens.Writer.TryWrite(token);

    internal void SetPromptLogProb(int position, TokenLogProb logProb) => _promptLogProbs![position] = logProb;

    /// <summary>Takes the result of one choice, and completes the generation with the last one.</summary>
    internal void EndChoice(int choice, ChoiceResult result)
    {
        _choices[choice] = result;
        if (--_openChoices > 0)
            return;
        _cancellation.Unregister();
        TimeSpan duration = _engine.Time.GetElapsedTime(SubmittedAt);
        bool cancelled = _choices.Any(ended => ended!.FinishReason == FinishReason.Cancelled);
        _engine.Leave(this);
        _tokens.Writer.Complete(cancelled ? new OperationCanceledException("The generation was cancelled.") : null);
        _completion.SetResult(new GenerationResult
        {
            PromptTokenCount = Request.Prompt.Length,
            CachedTokenCount = CachedTokenCount,
            PromotedTokenCounts = PromotedTokenCounts is { } counts ? counts : ReadOnlyDictionary<string, int>.Empty,
            LeftToComputeTokenCount = LeftToComputeTokenCount,
            ComputedTokenCount = ComputedTokenCount,
            RecomputedTokenCount = RecomputedTokenCount,
            TimeToFirstToken = TimeToFirstToken ?? duration,
            Duration = duration,
            Seed = Seed,
            Choices = _choices!,
            PromptLogProbs = _promptLogProbs,
            Embedding = States is { } states && !cancelled ? states.ToVector() : (ReadOnlyMemory<float>?)null,
            Lease = Lease,
        });
    }

    /// <summary>Ends it with an error, unless it is over. A lease that was kept for the caller is released.</summary>
    internal void Fail(Exception error)
    {
        if (IsOver)
            return;
        _engine.Leave(this);
        _completion.SetException(error);
        _ = _completion.Task.Exception;
        _tokens.Writer.TryComplete(error);
        _cancellation.Unregister();
        Lease?.Dispose();
        Lease = null;
    }
}
