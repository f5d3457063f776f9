using System.Diagnostics.CodeAnalysis;
using KvTiers.Prefix;

namespace KvTiers;

public sealed partial class KvCache
{
    private readonly HashSet<Pin> _pins = [];
    private readonly PriorityQueue<Pin, long> _lapsing = new();

    /// <summary>Tells that an edit cut this path after <paramref name="keptTokenCount"/> tokens: what follows is first to be evicted.</summary>
    /// <remarks>
    /// To be called after the conversation's own lease is released. A block that holds both kept and cut tokens is cut, and still serves as
    /// the source of a copy. A later match of a whole block brings it back.
    /// </remarks>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path as it was before the edit.</param>
    /// <param name="keptTokenCount">Leading tokens that the edit left alone.</param>
    /// <returns>Blocks superseded, and blocks that a lease, a pin or another branch still uses.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More tokens are kept than the path has.</exception>
    public SupersedeResult Supersede(BlockHash root, ReadOnlySpan<int> tokens, int keptTokenCount)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)keptTokenCount, (uint)tokens.Length, nameof(keptTokenCount));
        lock (_lock)
        {
            if (!TryFindRoot(root, out RadixNode? node)) return default;
            int before = _tree.SupersededBlockCount;
            SupersedeResult result = _tree.Supersede(node, tokens, keptTokenCount / Shape.BlockSize);
            _totals.SupersededBlocks += _tree.SupersededBlockCount - before;
            return result;
        }
    }

    /// <summary>Frees the blocks of this path that nobody else uses: no lease, no pin, no other branch below them.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="keptBlocks">Leading blocks that stay in any case: somebody who holds no lease now will come back to them.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of blocks is negative.</exception>
    public EraseResult Erase(BlockHash root, ReadOnlySpan<int> tokens, int keptBlocks = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keptBlocks);
        lock (_lock)
        {
            if (!TryFindRoot(root, out RadixNode? node)) return default;
            EraseResult result = _tree.Erase(node, tokens, keptBlocks);
            _totals.ErasedBlocks += result.ErasedBlocks;
            return result;
        }
    }

    /// <summary>Bars the blocks of this path that are hot now from eviction.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="until">When the pin lapses by itself; null for never.</param>
    public Pin Pin(BlockHash root, ReadOnlySpan<int> tokens, DateTimeOffset? until = null)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            RadixNode node = _tree.PathNode(_tree.GetOrAddRoot(root), tokens, out int blockCount);
            _tree.Hold(node);
            int missing = node.Run.BlockCount * Shape.BlockSize - node.Run.TokenCount;
            Pin pin = new(this, node, blockCount * Shape.BlockSize - missing, until);
            _pins.Add(pin);
            if (until is { } end) _lapsing.Enqueue(pin, end.UtcTicks);
            return pin;
        }
    }

    /// <summary>Ranks the hot blocks of this path: of two equally dead blocks, the one of lower priority goes first. 0 is the default.</summary>
    /// <remarks>
    /// Counts as use. A block shared with a branch of higher priority keeps that one. Blocks added below take the path's priority when it is
    /// negative, else 0.
    /// </remarks>
    /// <returns>Blocks ranked.</returns>
    public int SetPriority(BlockHash root, ReadOnlySpan<int> tokens, int priority)
    {
        lock (_lock) return TryFindRoot(root, out RadixNode? node) ? _tree.SetPriority(node, tokens, priority) : 0;
    }

    /// <summary>Lets the hot blocks of this path expire once they have not been used for a time: expired blocks go before all but superseded ones.</summary>
    /// <remarks>
    /// Counts as use. A block shared with a branch that lives longer keeps the longer time. Blocks added below take the path's time. Use few
    /// different values: finding the next block to evict takes time in their number.
    /// </remarks>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="timeToLive">How long, not negative; null for ever, the default.</param>
    /// <returns>Blocks concerned.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public int SetTimeToLive(BlockHash root, ReadOnlySpan<int> tokens, TimeSpan? timeToLive)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive ?? TimeSpan.Zero, TimeSpan.Zero, nameof(timeToLive));
        lock (_lock)
        {
            long ticks = timeToLive?.Ticks ?? RadixNode.NoTimeToLive;
            return TryFindRoot(root, out RadixNode? node) ? _tree.SetTimeToLive(node, tokens, ticks) : 0;
        }
    }

    /// <inheritdoc cref="KvTiers.Pin.TryRenew"/>
    internal bool TryRenew(Pin pin, DateTimeOffset? until)
    {
        lock (_lock)
        {
            if (_disposed) return false;
            LapsePins();
            if (!pin.IsActive) return false;

            // Where it stands for an earlier time already, it is looked at then.
            if (until is { } end && !(pin.Until <= end)) _lapsing.Enqueue(pin, end.UtcTicks);
            pin.Until = until;
            return true;
        }
    }

    internal void Unpin(Pin pin)
    {
        lock (_lock)
            if (!_disposed && pin.IsActive) EndPin(pin);
    }

    private void EndPin(Pin pin)
    {
        pin.IsActive = false;
        _pins.Remove(pin);
        _tree.Release(pin.Node);
    }

    // No timer: whether a pin has lapsed matters only when room is wanted or the state is asked for.
    private void LapsePins()
    {
        if (_lapsing.Count == 0) return;
        long now = _tree.Order.ReadClock();
        while (_lapsing.TryPeek(out Pin? pin, out long end) && (end <= now || !pin.IsActive))
        {
            _lapsing.Dequeue();
            if (!pin.IsActive || pin.Until is not { } until) continue;
            if (until.UtcTicks <= now) EndPin(pin);
            else _lapsing.Enqueue(pin, until.UtcTicks);
        }
    }

    private bool TryFindRoot(BlockHash root, [NotNullWhen(true)] out RadixNode? node)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        LapsePins();
        node = _tree.FindRoot(root);
        return node is not null;
    }

    /// <summary>Lists whole blocks that are hot and that no edit has cut off, so that others can be told what is found here.</summary>
    /// <remarks>Those near the beginning of a prompt come first, as a run that leads from there is what counts.</remarks>
    /// <param name="most">Hashes to give at most.</param>
    public IReadOnlyList<BlockHash> HotHashes(int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            List<BlockHash> hashes = new(Math.Min(most, Pool.Capacity));
            _tree.CopyHashes(hashes, most);
            return hashes;
        }
    }

    /// <summary>Matchable blocks of a tenant.</summary>
    internal int BlocksOf(int tenant)
    {
        lock (_lock) return _tree.Roots.Where(root => root.Tenant == tenant).Sum(root => root.BlockCount);
    }

    /// <summary>Frees blocks of a tenant that nobody holds, in the usual order among themselves. The recipient is not shown them.</summary>
    /// <param name="tenant">The tenant's number.</param>
    /// <param name="atMost">Blocks freed at most.</param>
    /// <param name="deadOnly">Whether only superseded and expired blocks go.</param>
    /// <returns>Blocks freed.</returns>
    internal int EvictTenant(int tenant, int atMost, bool deadOnly)
    {
        lock (_lock)
        {
            if (_disposed) return 0;
            LapsePins();
            int freed = 0;
            foreach (RadixRoot root in _tree.Roots.Where(root => root.Tenant == tenant).ToArray())
            {
                while (freed < atMost && _tree.TryEvict(root, deadOnly, out EvictedBlock block))
                {
                    CountEvicted(block);
                    Pool.Free(block.Slot);
                    freed++;
                }
            }

            return freed;
        }
    }
}
