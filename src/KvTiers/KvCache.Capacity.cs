using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers;

public sealed partial class KvCache
{
    /// <summary>Changes how many blocks are in service. Shrinking evicts in the usual order; blocks that are in use stay.</summary>
    /// <param name="blockCount">The wanted capacity, at least 1.</param>
    /// <returns>The capacity reached: more than wanted while leases and pins hold more than that. Call again later to go on.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    /// <exception cref="OutOfMemoryException">The system refuses the address space.</exception>
    public int Resize(int blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockCount);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int surplus = Pool.Capacity - blockCount;
            if (surplus <= 0)
            {
                Pool.Grow(-surplus);
                return Pool.Capacity;
            }

            LapsePins();
            while (Pool.FreeCount < surplus && TryEvict())
            {
            }

            Pool.Retire(surplus);
            return Pool.Capacity;
        }
    }

    /// <summary>Evicts in the usual order until so many blocks are free, ahead of any need for them.</summary>
    /// <param name="freeBlocks">The wanted number of free blocks.</param>
    /// <param name="atMost">Blocks evicted in this call at most.</param>
    /// <returns>Blocks evicted.</returns>
    internal int EvictAhead(int freeBlocks, int atMost)
    {
        lock (_lock)
        {
            if (_disposed) return 0;
            LapsePins();
            int evicted = 0;
            while (evicted < atMost && Pool.FreeCount < freeBlocks && TryEvict()) evicted++;
            return evicted;
        }
    }

    /// <summary>The state at this moment.</summary>
    public CacheSnapshot Snapshot()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            LapsePins();
            return new CacheSnapshot
            {
                CapacityBlocks = Pool.Capacity,
                BytesPerBlock = Layout.BytesPerBlock,
                FreeBlocks = Pool.FreeCount,
                PrivateBlocks = Pool.Capacity - Pool.FreeCount - _tree.BlockCount,
                HeldBlocks = _tree.BlockCount - _tree.EvictableBlockCount,
                EvictableBlocks = _tree.EvictableBlockCount,
                SupersededBlocks = _tree.SupersededBlockCount,
                Leases = _leases.Count,
                Pins = _pins.Count,
                Roots = _tree.RootCount,
                Nodes = _tree.NodeCount,
                Totals = _totals,
            };
        }
    }

    /// <summary>A picture of the radix tree, of at most <paramref name="maxNodes"/> nodes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public RadixDump DumpRadix(int maxNodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNodes);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tree.Dump(maxNodes);
        }
    }

    internal void Inspect(Action<RadixTree, IReadOnlyCollection<BlockLease>, IReadOnlyCollection<Pin>> look)
    {
        lock (_lock) look(_tree, _leases, _pins);
    }

    // Evicts until so many blocks are free; nothing when even that would not do.
    private bool TryMakeRoom(int blockCount)
    {
        if (Pool.FreeCount >= blockCount) return true;
        LapsePins();
        if ((long)Pool.FreeCount + _tree.EvictableBlockCount < blockCount)
        {
            _totals.RefusedReservations++;
            return false;
        }

        while (Pool.FreeCount < blockCount && TryEvict())
        {
        }

        return true;
    }

    private bool TryEvict()
    {
        if (!_tree.TryEvict(out EvictedBlock block)) return false;
        _observer?.OnEvicting(block.Hash, block.TokenCount, Pool.Bytes(block.Slot), block.Cause);
        Pool.Free(block.Slot);
        switch (block.Cause)
        {
            case EvictionCause.Superseded: _totals.EvictedSupersededBlocks++; break;
            case EvictionCause.Expired: _totals.EvictedExpiredBlocks++; break;
            default: _totals.EvictedLiveBlocks++; break;
        }

        return true;
    }

    private int TakeSlot() => Pool.TryAllocate(out int slot) ? slot : throw new InvalidOperationException("Room was made, and no block is free.");
}
