using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers;

/// <summary>Holds a sequence's blocks: while it lives, none of them is evicted, moved or freed.</summary>
/// <remarks>
/// The table is, in order: blocks of the tree, shared and immutable; then blocks of this lease alone, being written or reserved. The last
/// shared block may reach beyond <see cref="TokenCount"/> (a match that ends inside a block); <see cref="TryReserve"/> copies it
/// before the sequence writes on. One owner uses a lease at a time.
/// </remarks>
public sealed class BlockLease : IDisposable
{
    private readonly KvCache _cache;
    private int _released;

    internal BlockLease(KvCache cache, BlockHash root, RadixNode node)
    {
        _cache = cache;
        Node = node;
        Path = new BlockPath(root, cache.Shape.BlockSize, []);
    }

    /// <summary>The namespace.</summary>
    public BlockHash Root => Path.Root;

    /// <summary>The blocks, in token order; the last ones may be reserved and empty yet.</summary>
    public BlockTable Table { get; } = new();

    /// <summary>Tokens whose K and V are in the blocks.</summary>
    public int TokenCount => Path.TokenCount;

    /// <summary>How many tokens were found rather than computed, when the lease was taken and in every <see cref="KvCache.Rematch"/>.</summary>
    public int CachedTokenCount { get; internal set; }

    /// <summary>The ids of the <see cref="TokenCount"/> tokens. Valid until the lease changes.</summary>
    public ReadOnlySpan<int> Tokens => Path.Tokens;

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsReleased => Volatile.Read(ref _released) != 0;

    /// <summary>True when its blocks are never shared: <see cref="KvCache.AcquirePrivate"/>.</summary>
    public bool IsPrivate { get; internal init; }

    internal KvCache Cache => _cache;

    /// <summary>The tokens, with the hashes of their blocks.</summary>
    internal BlockPath Path { get; }

    /// <summary>The deepest node held; its last block is entry <see cref="SharedBlockCount"/> − 1 of the table.</summary>
    internal RadixNode Node { get; set; }

    /// <summary>Leading entries of the table that belong to the tree.</summary>
    internal int SharedBlockCount { get; set; }

    /// <summary>A slot of this lease that is in no table yet: the shared last block is being copied into it.</summary>
    internal int? CopyTarget { get; set; }

    /// <summary>Releases the blocks. What is sealed or published stays matchable until it is evicted; the rest is freed.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0) return;
        _cache.Release(this);
        Path.Clear();
    }

    /// <summary>Makes room for <paramref name="tokenCount"/> more tokens, evicting as needed: all of it, or nothing.</summary>
    /// <remarks>
    /// Afterwards the blocks of the table that take those tokens are the lease's alone. A shared last block is copied for that, so entries
    /// of the table may change.
    /// </remarks>
    /// <returns>False when too many blocks are in use.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public bool TryReserve(int tokenCount) => _cache.TryReserve(this, tokenCount);

    /// <summary>Tells that K and V of <paramref name="tokens"/>, which follow the lease's, are written. Seals blocks that are full now.</summary>
    /// <remarks>Where an identical block stands already, the table points to that one from now on and the lease's own is freed.</remarks>
    /// <exception cref="InvalidOperationException">No room was reserved for that many tokens.</exception>
    public void Append(ReadOnlySpan<int> tokens) => _cache.Append(this, tokens);

    /// <summary>Makes the partial last block matchable too, as at the end of a turn.</summary>
    /// <remarks>The lease may go on: its next reservation continues in a copy.</remarks>
    public void Publish() => _cache.Publish(this);
}
