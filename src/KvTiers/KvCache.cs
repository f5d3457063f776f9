using System.Diagnostics.Metrics;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers;

/// <summary>The hot tier: stores, shares and evicts blocks of K and V, found by the tokens before and in them.</summary>
/// <remarks>
/// A sequence takes a lease on the longest prefix that is held (<see cref="Acquire"/>), reserves room, writes K and V in place, and says so
/// (<see cref="BlockLease.Append"/>); full blocks are sealed and shared at once. A released block stays until its room is needed.
/// Thread-safe: one lock guards the state; blocks are copied, and handed over when they are evicted, without it. A lease is used by one owner at a time.
/// </remarks>
public sealed partial class KvCache : IDisposable
{
    private readonly Lock _lock = new();
    private readonly RadixTree _tree;
    private readonly IBlockRecipient? _recipient;
    private readonly CacheInstruments _instruments;
    private readonly HashSet<BlockLease> _leases = [];
    private readonly ReuseMarks? _reuse;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;
    private CacheTotals _totals;
    private long _recipientFaults;
    private bool _disposed;

    /// <summary>Maps the hot tier's memory.</summary>
    /// <param name="shape">The shape of a block.</param>
    /// <param name="options">The hot tier's size.</param>
    /// <param name="time">The clock of pins and times to live; the system's by default.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public KvCache(BlockShape shape, KvCacheOptions options, TimeProvider? time = null)
        : this(shape, options, time, recipient: null)
    {
    }

    /// <summary>Maps the hot tier's memory below somebody who is told of blocks that become matchable or go.</summary>
    internal KvCache(BlockShape shape, KvCacheOptions options, TimeProvider? time, IBlockRecipient? recipient)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        Pool = new BlockPool(shape, options.CapacityFor(shape), options.Prefault);
        _time = time ?? TimeProvider.System;
        _patience = options.EvictionPatience;
        _tree = new RadixTree(Pool, _time);
        _recipient = recipient;
        _reuse = recipient is { SeesReuse: true } ? new ReuseMarks(_tree, Pool) : null;
        _instruments = new CacheInstruments(this);
    }

    /// <summary>The shape of a block.</summary>
    public BlockShape Shape => Pool.Shape;

    /// <summary>The memory of the blocks. Only the cache takes and frees slots.</summary>
    public BlockPool Pool { get; }

    /// <summary>
    /// Makes the memory resident in the background, also what <see cref="Resize"/> adds later, so that no request pays for first touch. Options that do
    /// not ask for it at the start leave it to this call, because it keeps a processor busy for a while. A second call does nothing.
    /// </summary>
    public void StartPrefault()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Pool.StartPrefault();
        }
    }

    internal Meter Meter => _instruments.Meter;

    /// <summary>Takes a lease on the longest prefix of <paramref name="tokens"/> that is held, to the first differing token.</summary>
    /// <param name="root">The namespace, <see cref="BlockHash.Root"/>.</param>
    /// <param name="tokens">What the sequence starts with: a prompt without its last token, which is always computed.</param>
    /// <returns>A lease with <see cref="BlockLease.CachedTokenCount"/> tokens, perhaps none.</returns>
    public BlockLease Acquire(BlockHash root, ReadOnlySpan<int> tokens)
    {
        BlockLease lease;
        List<ReusedBlock>? reused;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            RadixNode rootNode = _tree.GetOrAddRoot(root);
            PathEnd end = _tree.Match(rootNode, tokens);
            lease = new(this, root, rootNode);
            HoldMatch(lease, end);
            FillTable(lease, from: 0);
            int tokenCount = end.BlockCount * Shape.BlockSize + end.TailTokens;
            lease.Path.Append(tokens[..tokenCount]);
            AnchorPath(lease);
            lease.CachedTokenCount = tokenCount;
            _leases.Add(lease);
            _totals.HitTokens += lease.TokenCount;
            _totals.MissedTokens += tokens.Length - lease.TokenCount;
            reused = _reuse?.Find(lease, firstEntry: 0);
        }

        NotifyReused(reused);
        return lease;
    }

    /// <summary>Takes a lease that finds nothing and leaves nothing: what is appended to it is never sealed, published or shared.</summary>
    public BlockLease AcquirePrivate()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            RadixNode rootNode = _tree.GetOrAddRoot(default);
            _tree.Hold(rootNode, revive: false);
            BlockLease lease = new(this, default, rootNode) { IsPrivate = true };
            _leases.Add(lease);
            return lease;
        }
    }

    /// <summary>Picks up what others have sealed since, while this lease has computed nothing beyond a block boundary itself.</summary>
    /// <remarks>Room reserved where found blocks now stand is given back; the rest of it stays reserved.</remarks>
    /// <param name="lease">The lease.</param>
    /// <param name="tokens">The whole sequence, as for <see cref="Acquire"/>; begins with the lease's tokens.</param>
    /// <returns>Tokens gained; 0 also when the lease's last block holds computed tokens and is not full.</returns>
    /// <exception cref="ArgumentException">The tokens begin otherwise than the lease's.</exception>
    public int Rematch(BlockLease lease, ReadOnlySpan<int> tokens)
    {
        int gained;
        List<ReusedBlock>? reused;
        lock (_lock)
        {
            Require(lease);
            if (!tokens.StartsWith(lease.Tokens)) throw new ArgumentException("The tokens do not begin with the lease's.", nameof(tokens));
            bool sharesTail = SharesTail(lease);
            if (lease.IsPrivate) return 0;
            if (!sharesTail && lease.TokenCount % Shape.BlockSize != 0) return 0;

            // The node held ends after a shared tail, where the search cannot start.
            int knownBlocks = sharesTail ? 0 : lease.SharedBlockCount;
            RadixNode from = sharesTail ? _tree.GetOrAddRoot(lease.Root) : lease.Node;
            PathEnd end = _tree.Match(from, tokens[(knownBlocks * Shape.BlockSize)..]);
            int tokenCount = (knownBlocks + end.BlockCount) * Shape.BlockSize + end.TailTokens;
            gained = tokenCount - lease.TokenCount;
            if (gained <= 0) return 0;

            RadixNode formerNode = lease.Node;
            int formerShared = lease.SharedBlockCount;
            HoldMatch(lease, end, knownBlocks);
            _tree.Release(formerNode);
            FreeEntries(lease, formerShared, lease.SharedBlockCount);
            FillTable(lease, from: lease.TokenCount / Shape.BlockSize);
            lease.Path.EnsureCapacity(lease.Table.Count * Shape.BlockSize);
            lease.Path.Append(tokens[lease.TokenCount..tokenCount]);
            AnchorPath(lease);
            lease.CachedTokenCount += gained;
            _totals.HitTokens += gained;
            reused = _reuse?.Find(lease, knownBlocks);
        }

        NotifyReused(reused);
        return gained;
    }

    /// <summary>How much of <paramref name="tokens"/> is held now. Takes no lease and does not count as use.</summary>
    public PrefixMatch Peek(BlockHash root, ReadOnlySpan<int> tokens)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_tree.FindRoot(root) is not { } rootNode) return new PrefixMatch(0, 0, root);
            PathEnd end = _tree.Match(rootNode, tokens);
            return new PrefixMatch(end.BlockCount * Shape.BlockSize + end.TailTokens, end.BlockCount, _tree.HashAfter(end.Node, end.NodeBlocks));
        }
    }

    /// <summary>Unmaps the memory. No lease may be in use; releasing one later does nothing.</summary>
    /// <remarks>While the recipient still reads evicted blocks, the memory stays until it is done.</remarks>
    public void Dispose()
    {
        _instruments.Dispose();
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            if (AreSlotsAwaited) return;
        }

        Pool.Dispose();
    }

    // The lease holds the match's path from now on; a former hold is the caller's to release.
    private void HoldMatch(BlockLease lease, in PathEnd end, int knownBlocks = 0)
    {
        RadixNode node = _tree.EndNode(end);
        RadixNode? tail = _tree.TailNode(end);
        _tree.Hold(tail ?? node, revive: tail is null || end.TailIsComplete);
        lease.Node = tail ?? node;
        lease.SharedBlockCount = knownBlocks + end.BlockCount + (tail is null ? 0 : 1);
    }

    // The shared entries of the table from one on, read off the path from its end upwards.
    private void FillTable(BlockLease lease, int from)
    {
        BlockTable table = lease.Table;
        table.EnsureCount(lease.SharedBlockCount);
        int entry = lease.SharedBlockCount;
        for (RadixNode node = lease.Node; entry > from; node = node.Parent!)
        {
            ReadOnlySpan<int> slots = node.Run.Slots;
            for (int i = slots.Length - 1; i >= 0 && entry > from; i--) table.Set(--entry, slots[i], Pool.Address(slots[i]));
        }
    }

    // The hash of the last whole block is known where the block is shared: what follows is worked out from there.
    private void AnchorPath(BlockLease lease)
    {
        int blockCount = lease.Path.BlockCount;
        if (blockCount > 0 && blockCount <= lease.SharedBlockCount) lease.Path.Anchor(blockCount, _tree.HashOf(lease.Table.Slots[blockCount - 1]));
    }

    // Frees private entries, the last first, as eviction does.
    private void FreeEntries(BlockLease lease, int from, int to)
    {
        ReadOnlySpan<int> slots = lease.Table.Slots;
        for (int i = Math.Min(to, slots.Length) - 1; i >= from; i--) Pool.Free(slots[i]);
    }

    // The last block is in the tree and reaches beyond the lease's tokens: it must not be written.
    private bool SharesTail(BlockLease lease) => lease.SharedBlockCount * Shape.BlockSize > lease.TokenCount;

    private void Require(BlockLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ObjectDisposedException.ThrowIf(_disposed, this);
        ObjectDisposedException.ThrowIf(lease.IsReleased, lease);
        if (lease.Cache != this) throw new ArgumentException("The lease is of another cache.", nameof(lease));
    }
}
