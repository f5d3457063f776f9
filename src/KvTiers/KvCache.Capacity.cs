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
            int available = AvailableCount;
            int missing = Math.Min(surplus - available, _tree.EvictableBlockCount);
            if (missing > 0) Evict(missing, promisedBlocks: available);
            ObjectDisposedException.ThrowIf(_disposed, this);
            Pool.Retire(Math.Min(Pool.Capacity - blockCount, AvailableCount));
            return Pool.Capacity;
        }
    }

    /// <summary>Frees every block that nobody holds. The observer is not shown them: they are to be forgotten, not kept elsewhere.</summary>
    /// <returns>Blocks freed.</returns>
    public int Clear()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            LapsePins();
            int freed = _tree.EvictableBlockCount;
            for (int i = 0; i < freed; i++) Pool.Free(TakeVictim().Slot);
            return freed;
        }
    }

    /// <summary>The state at this moment.</summary>
    public CacheSnapshot Snapshot()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            LapsePins();
            int departing = DepartingCount;
            return new CacheSnapshot
            {
                CapacityBlocks = Pool.Capacity,
                BytesPerBlock = Layout.BytesPerBlock,
                FreeBlocks = Pool.FreeCount,
                PrivateBlocks = Pool.Capacity - Pool.FreeCount - _tree.BlockCount - departing,
                HeldBlocks = _tree.BlockCount - _tree.EvictableBlockCount,
                EvictableBlocks = _tree.EvictableBlockCount,
                DepartingBlocks = departing,
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

    internal void Inspect(Action<RadixTree, IReadOnlyCollection<BlockLease>, IReadOnlyCollection<Pin>, IReadOnlyCollection<Departure>> look)
    {
        lock (_lock) look(_tree, _leases, _pins, _departures);
    }

    private int TakeSlot() => Pool.TryAllocate(out int slot) ? slot : throw new InvalidOperationException("Room was made, and no block is free.");
}
