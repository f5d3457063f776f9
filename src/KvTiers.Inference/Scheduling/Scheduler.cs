namespace KvTiers.Inference.Scheduling;

/// <summary>Decides which tokens of which sequences the next step computes.</summary>
/// <remarks>
/// A step holds one row of every decoding sequence, then chunks of prompts, all in order of submission; beside decoding sequences, prompts get no more
/// rows than <see cref="PrefillBesideDecode"/>. A sequence is started when the pool has room for all that it has still to compute, first come first
/// served; nobody of the same tenant passes. When blocks run out on the way, the latest sequence (of the tenant that has most in work) gives
/// way: what it has computed stays findable, its blocks become evictable, and it resumes from what is left of them. So the earliest
/// sequence always gets on, and no running request fails. A sequence whose next tokens an earlier one is about to compute waits for them.
/// With colder tiers, one that is to be started and has room goes through the tiers' hands first, whether it is new or has given way.
/// What throws touches one sequence, which <see cref="Touched"/> names; the plan is to be made anew without it. Used by the engine's thread only.
/// </remarks>
internal sealed partial class Scheduler(KvCache cache, EngineOptions options, bool hasTiers)
{
    // Rows with logits for prompt log-probabilities; a row is as long as the vocabulary.
    private const int PromptLogitRows = 32;

    private readonly LivingSequences _living = new(options.WeightOf);
    private readonly List<ScheduledChunk> _chunks = [];
    private bool _isAdmissionHeld;
    private long _plan;

    /// <summary>What the planned step computes.</summary>
    public List<ScheduledChunk> Chunks => _chunks;

    public List<Sequence> Waiting => _living.Waiting;

    /// <summary>Sequences whose leases are filled from colder tiers, beside the steps of others, until <see cref="Return"/>; also those that are to be handed over.</summary>
    public List<Sequence> Loading => _living.Loading;

    public List<Sequence> Running => _living.Running;

    /// <summary>The sequence that the plan works on. After <see cref="Plan"/> threw: the one that it threw for, or null when it was none.</summary>
    public Sequence? Touched { get; private set; }

    /// <summary>Called before each thing that is done for a sequence, by tests.</summary>
    public Action<EngineStage, Sequence>? BeforeStage { get; set; }

    public long Preemptions { get; private set; }

    /// <summary>Prompt tokens that a step computes at most while sequences decode: what bounds how long prompts delay running answers. 1 or more.</summary>
    public int PrefillBesideDecode { get; set; } = options.MaxTokensPerStep;

    /// <summary>True while another sequence may run.</summary>
    public bool HasPlace => Running.Count + Loading.Count < options.MaxRunning;

    /// <summary>Puts a new sequence in the queue, by its order of submission.</summary>
    public void Enqueue(Sequence sequence) => _living.Add(sequence);

    /// <summary>Starts a waiting sequence that holds its blocks already.</summary>
    public void Start(Sequence sequence) => _living.Move(sequence, SequenceState.Running);

    /// <summary>Sets a running beam aside until the others of its search are as far.</summary>
    public void Park(Sequence beam) => _living.Move(beam, SequenceState.Parked);

    /// <summary>Goes on with a beam: at once when it has its blocks and there is a place, else through the queue.</summary>
    public void Unpark(Sequence beam) => _living.Move(beam, beam.Lease is not null && HasPlace ? SequenceState.Running : SequenceState.Waiting);

    /// <summary>Takes a loading sequence back from the tiers, into the queue.</summary>
    public void Return(Sequence sequence)
    {
        sequence.WantsPromotion = false;
        _living.Move(sequence, SequenceState.Waiting);
    }

    /// <summary>Forgets a sequence that ended, wherever it was, the queue not yet included. Its lease is the caller's affair.</summary>
    public void Remove(Sequence sequence)
    {
        _isAdmissionHeld = false;
        _living.End(sequence);
    }

    /// <summary>The sequences of certain generations whose leases are not in the tiers' hands.</summary>
    public List<Sequence> Find(Func<Generation, bool> wanted) =>
        [.. _living.All().Where(sequence => !sequence.IsHandedOver && wanted(sequence.Generation))];

    /// <summary>Gives a sequence a lease on what is hot of it.</summary>
    public void Acquire(Sequence sequence) => sequence.Lease = sequence.UsesCache
        ? cache.Acquire(sequence.Generation.Root, sequence.Tokens[..sequence.MatchableCount])
        : cache.AcquirePrivate();

    /// <summary>Counts what a lease brought along as found rather than computed.</summary>
    public static void CountFound(Sequence sequence)
    {
        int found = Math.Min(sequence.ComputedCount, sequence.PromptLength) - Math.Min(sequence.ReachedCount, sequence.PromptLength);
        if (found > 0)
            sequence.Generation.CachedTokenCount += found;
        sequence.ReachedCount = Math.Max(sequence.ReachedCount, sequence.ComputedCount);
    }

    /// <summary>Plans the next step into <see cref="Chunks"/>. No chunk: nothing can be computed now.</summary>
    public void Plan()
    {
        _plan++;
        _chunks.Clear();
        _aside.Clear();
        _favoured = null;
        Touched = null;
        int budget = options.MaxTokensPerStep;
        for (int i = 0; i < Running.Count && budget > 0; i++)
        {
            Sequence sequence = Running[i];
            if (!sequence.IsDecoding)
                continue;
            int scheduled = Schedule(sequence, 1);
            budget -= scheduled;
            sequence.Tenant!.Serve(scheduled);
        }

        Admit(isHeld: _isAdmissionHeld && Running.Count > 0);
        budget += SetAside();
        if (_chunks.Count > 0)
            budget = Math.Min(budget, PrefillBesideDecode);
        while (budget > 0 && NextPrefill() is >= 0 and int next)
        {
            Sequence sequence = Running[next];
            sequence.ConsideredIn = _plan;
            if (!TryTakeOverPrefix(next))
                continue;
            int limit = sequence.NeedsPromptLogits ? Math.Min(options.PrefillChunk, PromptLogitRows) : options.PrefillChunk;
            int scheduled = Schedule(sequence, Math.Min(sequence.PendingCount, Math.Min(budget, limit)));
            budget -= scheduled;
            sequence.Tenant!.Prefill(scheduled);
        }

        TakeBackSetAside();
        foreach (ScheduledChunk chunk in _chunks)
            chunk.Sequence.Tenant!.Compute(chunk.TokenCount);
        Touched = null;
    }

    private int Schedule(Sequence sequence, int tokenCount)
    {
        if (!TryMakeRoom(sequence, tokenCount))
            return 0;
        sequence.ConsideredIn = _plan;
        _chunks.Add(new ScheduledChunk(sequence, tokenCount));
        return tokenCount;
    }

    private void Admit(bool isHeld)
    {
        while (NextWaiting(isHeld) is { } first && (HasPlace || TryYieldTo(first)))
        {
            Touched = first;
            BeforeStage?.Invoke(EngineStage.Admit, first);
            Open(first);
            int shared = Math.Max(first.ComputedCount, PrefixBeingComputed(first, Running.Count).TokenCount);
            int missing = first.TokenCount - shared;
            bool promotes = hasTiers && first.CanPromote;
            while (!(promotes ? cache.CanReserve(first.Lease!, missing + _living.PromisedTokens) : cache.TryReserve(first.Lease!, missing)))
            {
                if (TryYieldTo(first))
                    continue;

                // With nobody running, only those behind it, and beams, can hold what it waits for.
                if (Running.Count + Loading.Count == 0 && LastHolder(first) is { } holder)
                {
                    Release(holder);
                    continue;
                }

                // What it found is part of the room that those in the tiers' hands are promised. Held here, they would come back without it, for ever.
                if (Loading.Count > 0)
                    Release(first);
                return;
            }

            if (promotes)
            {
                _living.Move(first, SequenceState.Loading, missing);
                continue;
            }

            first.Tenant!.Serve(Math.Max(1, missing));
            Start(first);
        }
    }

    // The first in the queue holds what it found while it waits for room, so that the rest is all it waits for.
    private void Open(Sequence sequence)
    {
        if (sequence.Lease is not null)
            return;
        Acquire(sequence);
        CountFound(sequence);
    }

    private bool TryMakeRoom(Sequence sequence, int tokenCount)
    {
        Touched = sequence;
        BeforeStage?.Invoke(EngineStage.MakeRoom, sequence);
        while (!cache.TryReserve(sequence.Lease!, tokenCount))
        {
            _isAdmissionHeld = true;
            if ((Waiting.Find(HoldsBlocks) ?? _living.Parked.FindLast(HoldsBlocks)) is { } holder)
                Release(holder);
            else if (LatestOfTheLargest() is var latest && latest != sequence)
                Preempt(latest);
            else
                return false;
        }

        return true;
    }

    private Sequence? LastHolder(Sequence but) => Waiting.FindLast(waiting => HoldsBlocks(waiting) && waiting != but) ?? _living.Parked.FindLast(HoldsBlocks);

    private static bool HoldsBlocks(Sequence sequence) => sequence.Lease is not null;

    private void Preempt(Sequence sequence)
    {
        Preemptions++;
        _chunks.RemoveAll(chunk => chunk.Sequence == sequence);
        _aside.RemoveAll(chunk => chunk.Sequence == sequence);
        _living.Move(sequence, SequenceState.Waiting);
        Release(sequence);
    }

    // For another one's sake, so that one is touched meanwhile.
    private void Release(Sequence sequence)
    {
        Sequence? touched = Touched;
        Touched = sequence;
        BeforeStage?.Invoke(EngineStage.GiveWay, sequence);
        if (sequence.UsesCache)
            cache.Publish(sequence.Lease!);
        sequence.Lease!.Dispose();
        sequence.Lease = null;
        sequence.WantsPromotion = true;
        Touched = touched;
    }

    // False while an earlier runner computes what this one needs next. Once that is there (or will not come), picks it up.
    private bool TryTakeOverPrefix(int index)
    {
        Sequence sequence = Touched = Running[index];
        ComingPrefix coming = PrefixBeingComputed(sequence, index);
        bool hasWaited = sequence.WaitsForPrefix;
        sequence.WaitsForPrefix = coming.IsPending;
        if (coming.IsPending || !(hasWaited || coming.TokenCount > 0))
            return !coming.IsPending;

        BeforeStage?.Invoke(EngineStage.TakeOverPrefix, sequence);
        cache.Rematch(sequence.Lease!, sequence.Tokens[..sequence.MatchableCount]);
        CountFound(sequence);
        return true;
    }

    // The longest prefix of the sequence that one of the first runners has in work and will seal as whole blocks.
    private ComingPrefix PrefixBeingComputed(Sequence sequence, int runners)
    {
        var best = new ComingPrefix(0, false);
        if (!sequence.UsesCache || sequence.NeedsEveryRow)
            return best;
        ReadOnlySpan<int> wanted = sequence.Tokens[..sequence.MatchableCount];
        int blockSize = cache.Shape.BlockSize;
        for (int i = 0; i < runners; i++)
        {
            Sequence other = Running[i];
            if (other.IsDecoding || !other.UsesCache || other.Generation.Root != sequence.Generation.Root)
                continue;
            int common = wanted.CommonPrefixLength(other.Tokens);
            int sealedAt = Math.Min((common + blockSize - 1) / blockSize, other.TokenCount / blockSize) * blockSize;
            int gained = Math.Min(common, sealedAt);
            if (gained <= Math.Max(sequence.ComputedCount, best.TokenCount - 1))
                continue;
            bool isPending = other.ComputedCount < sealedAt && (best.IsPending || gained > best.TokenCount);
            best = new ComingPrefix(gained, isPending);
        }

        return best;
    }

    private readonly record struct ComingPrefix(int TokenCount, bool IsPending);
}
