namespace KvTiers.Inference.Scheduling;

/// <summary>Every sequence that has not ended, by its state, each state in order of submission; and what each tenant has of them.</summary>
/// <remarks>
/// A state changes here alone, and every count with it: a sequence is in exactly the list of its state, or <see cref="SequenceState.Done"/>.
/// So none is ever nowhere, whatever throws between two moves. Used by the engine's thread only.
/// </remarks>
internal sealed class LivingSequences(Func<string, double>? weightOf = null)
{
    private const int MostLeft = 1_024;

    private readonly Dictionary<string, TenantShare> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _left = new(StringComparer.Ordinal);

    /// <summary>To be read only.</summary>
    public List<Sequence> Waiting { get; } = [];

    /// <summary>To be read only.</summary>
    public List<Sequence> Loading { get; } = [];

    /// <summary>To be read only.</summary>
    public List<Sequence> Running { get; } = [];

    /// <summary>To be read only.</summary>
    public List<Sequence> Parked { get; } = [];

    /// <summary>Tokens that those loading need room for when they come back.</summary>
    public int PromisedTokens { get; private set; }

    /// <summary>Takes in a new sequence, as waiting.</summary>
    public void Add(Sequence sequence)
    {
        TenantShare share = ShareOf(sequence.Generation.Tenant);
        Insert(Waiting, sequence);
        sequence.Tenant = share;
        share.Waiting++;
    }

    /// <summary>Changes a living sequence's state.</summary>
    /// <param name="sequence">One that <see cref="Add"/> took, and that is not done.</param>
    /// <param name="next">Its state from now on.</param>
    /// <param name="promisedTokens">With <see cref="SequenceState.Loading"/>: tokens that it needs room for then.</param>
    public void Move(Sequence sequence, SequenceState next, int promisedTokens = 0)
    {
        // All that can throw comes first.
        List<Sequence>? to = ListOf(next);
        to?.EnsureCapacity(to.Count + 1);
        ListOf(sequence.State)!.Remove(sequence);
        TenantShare share = sequence.Tenant!;
        Tally(share, sequence.State, -1);
        PromisedTokens += promisedTokens - sequence.PromisedTokens;
        sequence.PromisedTokens = promisedTokens;
        sequence.State = next;
        sequence.IsHandedOver = false;
        if (to is not null)
        {
            Insert(to, sequence);
            Tally(share, next, 1);
            return;
        }

        sequence.Tenant = null;
        if (share is { Waiting: 0, Running: 0 })
            Leave(sequence.Generation.Tenant, share);
    }

    /// <summary>Makes a sequence done; nothing else happens when it is, or when it was never taken in.</summary>
    public void End(Sequence sequence)
    {
        if (sequence.Tenant is null)
            sequence.State = SequenceState.Done;
        else
            Move(sequence, SequenceState.Done);
    }

    /// <summary>All of them.</summary>
    public IEnumerable<Sequence> All() => Running.Concat(Waiting).Concat(Loading).Concat(Parked);

    // A tenant that comes, or comes back, begins level with the one served least.
    private TenantShare ShareOf(string tenant)
    {
        if (_tenants.TryGetValue(tenant, out TenantShare? share))
            return share;

        // Whoever shares with nobody has the weight 1 here: shares are all that weights are for.
        double weight = weightOf?.Invoke(tenant) ?? 1;
        bool isAlone = _tenants.Count == 0;
        double computed = isAlone ? 0 : _tenants.Values.Min(static other => other.Computed);
        if (_left.Remove(tenant, out double before))
            computed = Math.Max(computed, before);
        share = new TenantShare(
            double.IsPositiveInfinity(weight) ? 1 : weight,
            isAlone ? 0 : _tenants.Values.Min(static other => other.Served),
            isAlone ? 0 : _tenants.Values.Min(static other => other.Prefilled),
            computed);
        _tenants.Add(tenant, share);
        return share;
    }

    // Who was ahead of those that stay is ahead when it comes back; with nobody left, there is nobody to be ahead of.
    private void Leave(string tenant, TenantShare share)
    {
        _tenants.Remove(tenant);
        if (_tenants.Count == 0 || _left.Count == MostLeft)
            _left.Clear();
        if (_tenants.Count > 0)
            _left[tenant] = share.Computed;
    }

    private List<Sequence>? ListOf(SequenceState state) => state switch
    {
        SequenceState.Waiting => Waiting,
        SequenceState.Loading => Loading,
        SequenceState.Running => Running,
        SequenceState.Parked => Parked,
        _ => null,
    };

    // What is being loaded, and a beam between two steps, is in work too.
    private static void Tally(TenantShare share, SequenceState state, int change)
    {
        if (state == SequenceState.Waiting)
            share.Waiting += change;
        else
            share.Running += change;
    }

    private static void Insert(List<Sequence> sequences, Sequence sequence)
    {
        int index = sequences.Count;
        while (index > 0 && IsBefore(sequence, sequences[index - 1]))
            index--;
        sequences.Insert(index, sequence);
    }

    private static bool IsBefore(Sequence a, Sequence b) => (a.Generation.Number, a.Choice).CompareTo((b.Generation.Number, b.Choice)) < 0;
}
