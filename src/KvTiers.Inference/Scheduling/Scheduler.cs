namespace KvTiers.Inference.Scheduling;

/// <summary>Decides which tokens of which sequences the next step computes.</summary>
/// <remarks>
/// A step holds one row of every decoding sequence, then chunks of prompts, all in order of submission; beside decoding sequences, prompts get no more
/// rows than <see cref="PrefillBesideDecode"/>. A sequence is started when the pool has room for all that it has still to compute, first come first
/// served; nobody of the same tenant passes. When blocks run out on the way, the latest sequence (of the tenant that has most in work) gives
/// way: what it has computed stays findable, its blocks become evictable, and it resumes from what is left of them. So the earliest
/// sequence always gets on, and no running request fails. A sequence whose next tokens an earlier one is about to compute waits for them.
/// With colder tiers, one that is to be started and has room goes through the tiers' hands first, whether it is new or has given way.
/// Used by the engine's thread only.
/// </remarks>
internal sealed partial class Scheduler(KvCache cache, EngineOptions options, bool hasTiers)
{
    // Rows with logits for prompt log-probabilities; a row is as long as the vocabulary.
    private const int PromptLogitRows = 32;

    // Both in order of submission.
    private readonly List<Sequence> _running = [];
    private readonly List<Sequence> _waiting = [];
    private readonly List<ScheduledChunk> _chunks = [];
    private readonly List<Sequence> _promotions = [];
    private bool _isAdmissionHeld;
    private long _plan;
    private int _promisedTokens;

    /// <summary>What the planned step computes.</summary>
    public IReadOnlyList<ScheduledChunk> Chunks => _chunks;

    /// <summary>Sequences that are to be promoted from now on, beside the steps of others, until <see cref="Return"/>.</summary>
    public IReadOnlyList<Sequence> Promotions => _promotions;

    /// <summary>Sequences in the tiers' hands.</summary>
    public int Promoting { get; private set; }

    public IReadOnlyList<Sequence> Running => _running;

    public IReadOnlyList<Sequence> Waiting => _waiting;

    public long Preemptions { get; private set; }

    /// <summary>Prompt tokens that a step computes at most while sequences decode: what bounds how long prompts delay running answers. 1 or more.</summary>
    public int PrefillBesideDecode { get; set; } = options.MaxTokensPerStep;

    /// <summary>Puts a sequence in the queue, by its order of submission.</summary>
    public void Enqueue(Sequence sequence) => AddWaiting(sequence);

    /// <summary>True while another sequence may run.</summary>
    public bool HasPlace => _running.Count + Promoting < options.MaxRunning;

    /// <summary>Takes a sequence back from the tiers.</summary>
    /// <param name="sequence">One of <see cref="Promotions"/>.</param>
    /// <param name="lackedRoom">Whether it is to be tried again when there is room.</param>
    public void Return(Sequence sequence, bool lackedRoom)
    {
        Promoting--;
        sequence.Tenant!.Running--;
        _promisedTokens -= sequence.PromisedTokens;
        sequence.WantsPromotion = lackedRoom;
        Enqueue(sequence);
    }

    /// <summary>Takes on a sequence that holds its blocks already.</summary>
    public void Start(Sequence sequence) => AddRunning(sequence);

    /// <summary>The sequences of certain generations, running or waiting.</summary>
    public List<Sequence> Find(Func<Generation, bool> wanted) =>
        [.. _running.Concat(_waiting).Where(sequence => wanted(sequence.Generation))];

    /// <summary>Forgets a sequence that ended. Its lease is the caller's affair.</summary>
    public void Remove(Sequence sequence)
    {
        if (!RemoveRunning(sequence))
            RemoveWaiting(sequence);
        _isAdmissionHeld = false;
    }

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
        _promotions.Clear();
        int budget = options.MaxTokensPerStep;
        for (int i = 0; i < _running.Count && budget > 0; i++)
        {
            Sequence sequence = _running[i];
            if (!sequence.IsDecoding)
                continue;
            int scheduled = Schedule(sequence, 1);
            budget -= scheduled;
            if (sequence.Tenant is { } tenant)
                tenant.Served += scheduled;
        }

        Admit(isHeld: _isAdmissionHeld && _running.Count > 0);
        if (_chunks.Count > 0)
            budget = Math.Min(budget, PrefillBesideDecode);
        while (budget > 0 && NextPrefill() is >= 0 and int next)
        {
            Sequence sequence = _running[next];
            sequence.ConsideredIn = _plan;
            if (!TryTakeOverPrefix(next))
                continue;
            int limit = sequence.NeedsPromptLogits ? Math.Min(options.PrefillChunk, PromptLogitRows) : options.PrefillChunk;
            int scheduled = Schedule(sequence, Math.Min(sequence.PendingCount, Math.Min(budget, limit)));
            budget -= scheduled;
            if (sequence.Tenant is { } tenant)
                tenant.Prefilled += scheduled;
        }
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
            Open(first);
            int shared = Math.Max(first.ComputedCount, PrefixBeingComputed(first, _running.Count).TokenCount);
            int missing = first.TokenCount - shared;
            bool promotes = hasTiers && first.CanPromote;
            while (!(promotes ? cache.CanReserve(first.Lease!, missing + _promisedTokens) : cache.TryReserve(first.Lease!, missing)))
            {
                if (TryYieldTo(first))
                    continue;

                // With nobody running, only those behind it can hold what it waits for.
                if (_running.Count + Promoting == 0 && _waiting.FindLast(static waiting => waiting.Lease is not null) is { } holder && holder != first)
                {
                    Release(holder);
                    continue;
                }

                // What it found is part of the room that those in the tiers' hands are promised. Held here, they would come back without it, for ever.
                if (Promoting > 0)
                    Release(first);
                return;
            }

            _waiting.Remove(first);
            first.Tenant!.Waiting--;
            if (promotes)
            {
                Promote(first, missing);
                continue;
            }

            first.Tenant.Served += Math.Max(1, missing);
            AddRunning(first);
        }
    }

    private void Promote(Sequence sequence, int missingTokens)
    {
        sequence.PromisedTokens = missingTokens;
        _promisedTokens += missingTokens;
        Promoting++;
        sequence.Tenant!.Running++;
        _promotions.Add(sequence);
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
        while (!cache.TryReserve(sequence.Lease!, tokenCount))
        {
            _isAdmissionHeld = true;
            if (_waiting.Find(static waiting => waiting.Lease is not null) is { } holder)
                Release(holder);
            else if (LatestOfTheLargest() is var latest && latest != sequence)
                Preempt(latest);
            else
                return false;
        }

        return true;
    }

    private void Preempt(Sequence sequence)
    {
        Preemptions++;
        _chunks.RemoveAll(chunk => chunk.Sequence == sequence);
        _running.Remove(sequence);
        sequence.Tenant!.Running--;
        Release(sequence);
        Enqueue(sequence);
    }

    private void Release(Sequence sequence)
    {
        if (sequence.UsesCache)
            cache.Publish(sequence.Lease!);
        sequence.Lease!.Dispose();
        sequence.Lease = null;
        sequence.WantsPromotion = true;
    }

    // False while an earlier runner computes what this one needs next. Once that is there (or will not come), picks it up.
    private bool TryTakeOverPrefix(int index)
    {
        Sequence sequence = _running[index];
        ComingPrefix coming = PrefixBeingComputed(sequence, index);
        bool hasWaited = sequence.WaitsForPrefix;
        sequence.WaitsForPrefix = coming.IsPending;
        if (coming.IsPending || !(hasWaited || coming.TokenCount > 0))
            return !coming.IsPending;

        cache.Extend(sequence.Lease!, sequence.Tokens[..sequence.MatchableCount]);
        CountFound(sequence);
        return true;
    }

    // The longest prefix of the sequence that one of the first runners has in work and will seal as whole blocks.
    private ComingPrefix PrefixBeingComputed(Sequence sequence, int runners)
    {
        var best = new ComingPrefix(0, false);
        if (!sequence.UsesCache || sequence.NeedsPromptLogits)
            return best;
        ReadOnlySpan<int> wanted = sequence.Tokens[..sequence.MatchableCount];
        int blockSize = cache.Layout.BlockSize;
        for (int i = 0; i < runners; i++)
        {
            Sequence other = _running[i];
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

    private static void Insert(List<Sequence> sequences, Sequence sequence)
    {
        int index = sequences.Count;
        while (index > 0 && IsBefore(sequence, sequences[index - 1]))
            index--;
        sequences.Insert(index, sequence);
    }

    private static bool IsBefore(Sequence a, Sequence b) => (a.Generation.Number, a.Choice).CompareTo((b.Generation.Number, b.Choice)) < 0;

    private readonly record struct ComingPrefix(int TokenCount, bool IsPending);
}
