using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.TorchSharp;

/// <summary>The sequences of a batch as leases on blocks: what both forms of the cache do alike, without a tensor.</summary>
/// <remarks>All that moves, cuts, forks or publishes sequences wants every named token in blocks first.</remarks>
internal sealed class SequenceLeases : IDisposable
{
    private readonly TieredCache _tiers;
    private BlockLease[] _leases;

    // Tokens of each sequence after its lease's, whose rows are not in blocks yet.
    private List<int>[] _named;

    private SequenceLeases(TieredCache tiers, BlockHash root, BlockLease[] leases)
    {
        _tiers = tiers;
        Root = root;
        _leases = leases;
        _named = Empty(leases.Length);
    }

    public BlockHash Root { get; }

    public int Count => _leases.Length;

    public KvCache Cache => _tiers.Cache;

    public BlockLayout Layout => LayoutOf(_tiers);

    public BlockLease this[int sequence] => _leases[sequence];

    /// <summary>Tokens of the longest sequence.</summary>
    public int Longest
    {
        get
        {
            int longest = 0;
            for (int sequence = 0; sequence < _leases.Length; sequence++)
                longest = Math.Max(longest, LengthOf(sequence));
            return longest;
        }
    }

    /// <summary>Tokens of the shortest sequence.</summary>
    public int Shortest
    {
        get
        {
            int shortest = int.MaxValue;
            for (int sequence = 0; sequence < _leases.Length; sequence++)
                shortest = Math.Min(shortest, LengthOf(sequence));
            return shortest;
        }
    }

    /// <summary>The layout of the tiers' blocks.</summary>
    /// <exception cref="ArgumentException">The blocks hold something else than keys and values.</exception>
    public static BlockLayout LayoutOf(TieredCache tiers)
    {
        ArgumentNullException.ThrowIfNull(tiers);
        return tiers.Cache.Shape as BlockLayout ?? throw new ArgumentException("The blocks have no layout of keys and values; open the tiers with a BlockLayout.", nameof(tiers));
    }

    /// <summary>Takes what is held of each prompt, without its last token, from all tiers.</summary>
    public static async Task<SequenceLeases> AcquireAsync(
        TieredCache tiers, BlockHash root, IReadOnlyList<ReadOnlyMemory<int>> prompts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tiers);
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count == 0)
            throw new ArgumentException("There must be at least one prompt.", nameof(prompts));
        foreach (ReadOnlyMemory<int> prompt in prompts)
        {
            if (prompt.IsEmpty)
                throw new ArgumentException("Every prompt must have at least one token.", nameof(prompts));
        }

        var leases = new List<BlockLease>();
        try
        {
            foreach (ReadOnlyMemory<int> prompt in prompts)
                leases.Add(await tiers.AcquireAsync(root, prompt[..^1], cancellationToken).ConfigureAwait(false));
            return new SequenceLeases(tiers, root, [.. leases]);
        }
        catch
        {
            leases.ForEach(lease => lease.Dispose());
            throw;
        }
    }

    /// <summary>Tokens of a sequence, those included that are named and not in blocks yet.</summary>
    public int LengthOf(int sequence) => _leases[sequence].TokenCount + _named[sequence].Count;

    /// <summary>Tokens of a sequence that are named and not in blocks yet.</summary>
    public int NamedCount(int sequence) => _named[sequence].Count;

    /// <summary>Names the next tokens of a sequence.</summary>
    public void Name(int sequence, ReadOnlySpan<int> tokens) => _named[sequence].AddRange(tokens);

    /// <summary>Appends the first of the named tokens, whose rows are in blocks now.</summary>
    public void AppendNamed(int sequence, int count)
    {
        _leases[sequence].Append(CollectionsMarshal.AsSpan(_named[sequence])[..count]);
        _named[sequence].RemoveRange(0, count);
    }

    /// <summary>Reserves room for so many more tokens of every sequence.</summary>
    /// <param name="tokenCount">Tokens.</param>
    /// <param name="reserved">Is told each sequence whose table may have changed.</param>
    /// <returns>False when blocks are lacking; what was reserved stays so.</returns>
    public bool TryReserve(int tokenCount, Action<int>? reserved = null)
    {
        for (int sequence = 0; sequence < _leases.Length; sequence++)
        {
            bool hasRoom = _leases[sequence].TryReserve(NamedCount(sequence) + tokenCount);
            reserved?.Invoke(sequence);
            if (!hasRoom)
                return false;
        }

        return true;
    }

    /// <summary>Cuts every sequence to so many tokens, at most.</summary>
    public void Crop(int tokenCount)
    {
        foreach (BlockLease lease in _leases)
            Cache.Truncate(lease, Math.Min(tokenCount, lease.TokenCount));
    }

    /// <summary>Takes another course after the first differing token: what is cut off is superseded in every tier, what follows is looked for.</summary>
    /// <returns>Leading tokens that were kept.</returns>
    public async Task<int> EditAsync(int sequence, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken)
    {
        if (tokens.IsEmpty)
            throw new ArgumentException("An edited sequence must have at least one token.", nameof(tokens));
        BlockLease old = _leases[sequence];
        int[] cut = old.Tokens.ToArray();
        int kept = cut.AsSpan().CommonPrefixLength(tokens.Span[..^1]);
        // Published, so that what an unfull last block held is found again when the edit is undone; and released, or nothing could supersede it.
        old.Publish();
        old.Dispose();
        try
        {
            if (kept < cut.Length)
                await _tiers.SupersedeAsync(new BlockPath(Root, Layout.BlockSize, cut), kept, isUsed: null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _leases[sequence] = Cache.Acquire(Root, tokens.Span[..^1]);
        }

        await _tiers.PromoteAsync(_leases[sequence], tokens[..^1], cancellationToken).ConfigureAwait(false);
        return kept;
    }

    /// <summary>Puts sequence <c>from[i]</c> in place i. Blocks are shared; the unfull last one of a sequence that is wanted twice is copied.</summary>
    /// <exception cref="InvalidOperationException">Too few blocks are free; nothing has changed.</exception>
    public void Rearrange(ReadOnlySpan<int> from)
    {
        var next = new BlockLease[from.Length];
        var taken = new bool[_leases.Length];
        for (int i = 0; i < from.Length; i++)
        {
            int source = from[i];
            next[i] = taken[source] ? Fork(source, next.AsSpan(0, i)) : _leases[source];
            taken[source] = true;
        }

        for (int i = 0; i < taken.Length; i++)
        {
            if (!taken[i])
                _leases[i].Dispose();
        }

        _leases = next;
        _named = Empty(next.Length);
    }

    /// <summary>The same sequences once more, held apart from these.</summary>
    /// <exception cref="InvalidOperationException">Too few blocks are free.</exception>
    public SequenceLeases Fork()
    {
        var forks = new BlockLease[_leases.Length];
        for (int i = 0; i < forks.Length; i++)
            forks[i] = Cache.TryFork(_leases[i]) ?? throw NoRoom(forks.AsSpan(0, i));
        return new SequenceLeases(_tiers, Root, forks);
    }

    public void Publish()
    {
        foreach (BlockLease lease in _leases)
            lease.Publish();
    }

    public void Dispose()
    {
        foreach (BlockLease lease in _leases)
            lease.Dispose();
    }

    private BlockLease Fork(int source, Span<BlockLease> made)
    {
        BlockLease? fork = Cache.TryFork(_leases[source]);
        if (fork is not null)
            return fork;
        foreach (BlockLease lease in made)
        {
            if (!_leases.Contains(lease))
                lease.Dispose();
        }

        throw NoRoom([]);
    }

    private static List<int>[] Empty(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<int>())];

    private static InvalidOperationException NoRoom(ReadOnlySpan<BlockLease> made)
    {
        foreach (BlockLease lease in made)
            lease.Dispose();
        return new InvalidOperationException("Every block is in use: no room for the copies of unfull last blocks.");
    }
}
