using System.Text;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Scheduling;

/// <summary>One choice of a generation: its tokens, the blocks that hold their K and V, and its text so far.</summary>
/// <remarks>
/// Invariant: TokenCount − ComputedCount ≥ 1 while it lives; the last token is always still to be computed, because its logits choose the next.
/// A sequence decodes when exactly that one is left, whatever it holds; else it prefills (a prompt, or after a preemption whatever was evicted).
/// </remarks>
internal sealed class Sequence
{
    // Most answers fit, so that the prompt is copied once.
    private const int FirstRoom = 256;

    private readonly StringBuilder _text = new();
    private readonly StopStringFilter _filter;
    private readonly TokenStream _stream;
    private readonly List<TokenLogProb>? _logProbs;
    private int[] _tokens;
    private int? _stopToken;

    /// <summary>The first choice of a generation, with nothing computed.</summary>
    public Sequence(Generation generation, Tokenizer tokenizer)
        : this(generation, 0, generation.Request.Prompt.Span, tokenizer)
    {
    }

    private Sequence(Generation generation, int choice, ReadOnlySpan<int> prompt, Tokenizer tokenizer)
    {
        Generation = generation;
        Choice = choice;
        PromptLength = prompt.Length;
        TokenCount = prompt.Length;
        _tokens = new int[Math.Min(generation.MaxTokenCount, prompt.Length + FirstRoom)];
        prompt.CopyTo(_tokens);
        _stream = tokenizer.CreateStream();
        _filter = new StopStringFilter(generation.Request.StopStrings, generation.Request.IncludeStop);
        Words = generation.BadWords is { } words ? new BadWordTail(words) : null;
        _logProbs = generation.Request.Sampling.TopLogProbs is null ? null : [];
        Counts = generation.Request.Sampling.HasPenalties ? new TokenCounts(prompt) : null;
        Constraint = generation.Request.Constraint is { } constraint ? new ConstrainedText(constraint, !generation.Request.IgnoreEndOfText) : null;
    }

    public Generation Generation { get; }

    /// <summary>Which continuation this is, from 0.</summary>
    public int Choice { get; }

    public int PromptLength { get; }

    /// <summary>Tokens known, prompt and sampled.</summary>
    public int TokenCount { get; private set; }

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);

    /// <summary>As <see cref="Tokens"/>; stays as it is when further tokens are taken.</summary>
    public ReadOnlyMemory<int> TokenMemory => _tokens.AsMemory(0, TokenCount);

    /// <summary>Where it is on its way. Set by <see cref="LivingSequences"/> alone.</summary>
    public SequenceState State { get; set; }

    /// <summary>While it is loading: whether the tiers have its lease.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>The blocks held; null while waiting without any.</summary>
    public BlockLease? Lease { get; set; }

    /// <summary>Tokens whose K and V are in the lease.</summary>
    public int ComputedCount => Lease?.TokenCount ?? 0;

    /// <summary>Tokens still to be computed before the next can be sampled.</summary>
    public int PendingCount => TokenCount - ComputedCount;

    public bool IsDecoding => PendingCount == 1 && TokenCount > PromptLength;

    /// <summary>The most tokens that ever were computed. Below it, computing is a repetition.</summary>
    public int ReachedCount { get; set; }

    /// <summary>Tokens that may be taken from the cache: all but the last; where every row of the prompt is needed, only those that were seen.</summary>
    public int MatchableCount => NeedsEveryRow ? ReachedCount : TokenCount - 1;

    /// <summary>True while rows of the prompt still owe their log-probabilities.</summary>
    public bool NeedsPromptLogits => Generation.Request.PromptLogProbs is not null && ReachedCount < PromptLength;

    /// <summary>True while rows of the prompt are to be computed though they may be cached: for their log-probabilities, or for their hidden states.</summary>
    public bool NeedsEveryRow => NeedsPromptLogits || (Generation.States is { NeedsAll: true } && ReachedCount < PromptLength);

    /// <summary>True when what it computes is found by others.</summary>
    public bool UsesCache => Generation.Request.UseCache;

    /// <summary>True while it stands back for a sequence that computes what it needs.</summary>
    public bool WaitsForPrefix { get; set; }

    /// <summary>The scheduler's plan that last looked at it for a chunk.</summary>
    public long ConsideredIn { get; set; }

    /// <summary>Its tenant's share, while it lives.</summary>
    public TenantShare? Tenant { get; set; }

    /// <summary>False once it holds what colder tiers had of it. A sequence that gives its blocks back wants it again.</summary>
    public bool WantsPromotion { get; set; } = true;

    /// <summary>True when colder tiers are to be asked before it runs.</summary>
    public bool CanPromote => WantsPromotion && UsesCache && !NeedsEveryRow && MatchableCount > 0;

    /// <summary>Tokens that it needs room for when it comes back from the tiers; 0 unless it is loading. Set by <see cref="LivingSequences"/> alone.</summary>
    public int PromisedTokens { get; set; }

    /// <summary>Token counts for the penalties; null when there are none.</summary>
    public TokenCounts? Counts { get; }

    /// <summary>The end of its output, where a bad word may have begun; null when there are no bad words.</summary>
    public BadWordTail? Words { get; }

    /// <summary>True while no token may end it.</summary>
    public bool IsBelowMinimum => OutputCount < Generation.Request.MinNewTokens;

    /// <summary>When its last token was sampled, as a timestamp.</summary>
    public long LastTokenAt { get; set; }

    /// <summary>When its first token was sampled, as a timestamp.</summary>
    public long FirstTokenAt { get; set; }

    public int OutputCount => TokenCount - PromptLength;

    /// <summary>What its text may go on with; null = anything.</summary>
    public ConstrainedText? Constraint { get; }

    /// <summary>Another choice of the same generation, with the same prompt and nothing sampled.</summary>
    public Sequence Fork(int choice, Tokenizer tokenizer) =>
        new(Generation, choice, _tokens.AsSpan(0, PromptLength), tokenizer) { ReachedCount = PromptLength };

    /// <summary>In a beam search: the likeliest next tokens, once they are known.</summary>
    public IReadOnlyList<TokenAlternative>? Candidates { get; set; }

    /// <summary>In a beam search: the sum of the log-probabilities of the generated tokens.</summary>
    public double LogProbSum { get; private set; }

    /// <summary>Another beam with the same tokens.</summary>
    public Sequence ForkBeam(int number, Tokenizer tokenizer)
    {
        Sequence fork = Fork(number, tokenizer);
        fork.ReachedCount = ReachedCount;
        fork.FirstTokenAt = FirstTokenAt;
        fork.LastTokenAt = LastTokenAt;
        fork.WantsPromotion = WantsPromotion;
        foreach (int id in Tokens[PromptLength..])
            fork.Add(id);
        return fork;
    }

    /// <summary>Takes a beam's next token, whose text is told when the search is over.</summary>
    public void Extend(int id, double logProbSum)
    {
        Add(id);
        LogProbSum = logProbSum;
        Candidates = null;
    }

    /// <summary>Takes the next token: its text, and whether it ends the sequence.</summary>
    /// <param name="id">The token.</param>
    /// <param name="logProb">Its log-probability when asked for.</param>
    /// <param name="endsText">True for an end-of-text token that counts.</param>
    public AcceptedToken Accept(int id, TokenLogProb? logProb, bool endsText)
    {
        GenerationRequest request = Generation.Request;
        bool isStopToken = request.StopTokenIds.Count > 0 && request.StopTokenIds.Contains(id);
        Add(id);
        Counts?.AddOutput(id);
        Words?.Append(id);
        if (logProb is not null)
            _logProbs!.Add(logProb);

        if (!endsText && !isStopToken)
            Constraint?.Append(id);
        string piece = endsText || (isStopToken && !request.IncludeStop) ? "" : _stream.Append(id);
        // The least number of tokens has been reached before this one, so stop strings may begin with it.
        string text = OutputCount > request.MinNewTokens ? _filter.Append(piece) : piece;
        if (isStopToken)
            _stopToken = id;
        endsText |= isStopToken;
        bool stops = endsText || _filter.Matched is not null || Constraint is { IsComplete: true };
        bool ends = stops || TokenCount == Generation.MaxTokenCount;
        if (ends)
            text += Flush();
        _text.Append(text);
        FinishReason? reason = !ends ? null : stops ? FinishReason.Stop : FinishReason.Length;
        return new AcceptedToken(text, reason);
    }

    /// <summary>The result as it stands.</summary>
    public ChoiceResult ToResult(FinishReason reason)
    {
        if (reason == FinishReason.Cancelled)
            _text.Append(Flush());
        return new ChoiceResult(Tokens[PromptLength..].ToArray(), _text.ToString(), reason, _filter.Matched, _logProbs) { StopTokenId = _stopToken };
    }

    private void Add(int id)
    {
        if (TokenCount == _tokens.Length)
            Array.Resize(ref _tokens, Math.Min(TokenCount + Math.Max(64, TokenCount / 2), Generation.MaxTokenCount));
        _tokens[TokenCount++] = id;
    }

    // Incomplete characters and what was held back as a possible stop string.
    private string Flush() => _filter.Matched is null ? _filter.Append(_stream.Flush()) + _filter.Flush() : "";
}
