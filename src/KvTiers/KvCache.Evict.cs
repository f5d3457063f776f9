using KvTiers.Prefix;

namespace KvTiers;

/// <content>Room: how much there is, and who leaves to make some.</content>
public sealed partial class KvCache
{
    // Whoever makes the hot tier smaller waits for the tiers below, and nobody else does.
    private static readonly TimeSpan ResizePatience = TimeSpan.FromSeconds(10);

    private readonly List<Departure> _departures = [];
    private readonly Stack<Departure> _spareDepartures = [];

    // Free blocks that nobody waits for.
    private int AvailableCount
    {
        get
        {
            int available = Pool.FreeCount;
            foreach (Departure departure in _departures) available -= departure.PromisedBlocks;
            return available;
        }
    }

    private int DepartingCount
    {
        get
        {
            int departing = 0;
            foreach (Departure departure in _departures) departing += departure.Blocks.Count;
            return departing;
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
            int count = Math.Min(Math.Min(freeBlocks - AvailableCount, atMost), _tree.EvictableBlockCount);
            if (count <= 0) return 0;
            Evict(count, promisedBlocks: 0, isAhead: true);
            return count;
        }
    }

    /// <summary>Ends when the observer has seen every block that is out of the tree by now.</summary>
    internal Task DeparturesAsync()
    {
        lock (_lock) return _departures.Count == 0 ? Task.CompletedTask : Task.WhenAll(_departures.Where(departure => !departure.IsBeingWritten).Select(departure => departure.Done));
    }

    /// <summary>Ends when the observer has seen one of these blocks; null when none is on its way out.</summary>
    internal Task? DepartureOf(ReadOnlyMemory<BlockHash> hashes)
    {
        lock (_lock) return _departures.Find(departure => departure.Blocks.Exists(block => hashes.Span.Contains(block.Hash)))?.Done;
    }

    // Evicts until so many blocks are free for the caller; nothing when even that would not do. May leave the lock, as Evict does.
    private bool TryMakeRoom(int blockCount)
    {
        if (AvailableCount >= blockCount) return true;
        LapsePins();
        while ((long)AvailableCount + _tree.EvictableBlockCount < blockCount)
        {
            if (!TryAwaitRoomMadeAhead(blockCount))
            {
                _totals.RefusedReservations++;
                return false;
            }
        }

        int available = AvailableCount;
        if (available < blockCount) Evict(blockCount - available, promisedBlocks: available);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return true;
    }

    // What departs ahead of need is not in use: it is waited for rather than refused.
    private bool TryAwaitRoomMadeAhead(int blockCount)
    {
        long ahead = 0;
        Departure? last = null;
        foreach (Departure departure in _departures)
        {
            if (!departure.IsAhead) continue;
            ahead += departure.Blocks.Count;
            last = departure;
        }

        if (last is null || AvailableCount + _tree.EvictableBlockCount + ahead < blockCount) return false;
        Task done = last.Done;
        _lock.Exit();
        try
        {
            done.Wait();
        }
        finally
        {
            _lock.Enter();
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        return true;
    }

    // Takes blocks that are evictable out of the tree, and frees their slots once the observer has seen them. The lock is left for the
    // observer's time, so anything but the caller's own lease may have changed afterwards; the promised blocks are still free.
    private void Evict(int blockCount, int promisedBlocks, bool isAhead = false, TimeSpan? patience = null)
    {
        if (_observer is null)
        {
            for (int i = 0; i < blockCount; i++) Pool.Free(TakeVictim().Slot);
            return;
        }

        if (!_spareDepartures.TryPop(out Departure? departure)) departure = new Departure(_time);
        for (int i = 0; i < blockCount; i++) departure.Blocks.Add(TakeVictim());
        departure.PromisedBlocks = promisedBlocks;
        departure.IsAhead = isAhead;
        _departures.Add(departure);
        _lock.Exit();
        try
        {
            StallBudget budget = departure.Budget.Begin(patience ?? _patience);
            foreach (EvictedBlock block in departure.Blocks) Show(block, budget);
        }
        finally
        {
            _lock.Enter();
            End(departure);
            _spareDepartures.Push(departure);
        }
    }

    private void Show(in EvictedBlock block, StallBudget budget)
    {
        try
        {
            var attributes = BlockAttributes.Of(block.TokenCount, block.Priority, block.Expires, block.Tenant);
            _observer!.OnEvicting(block.Hash, attributes, Pool.Bytes(block.Slot), block.Cause, budget);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _observerFaults);
        }
    }

    // The slots of a departure become free together.
    private void End(Departure departure)
    {
        foreach (EvictedBlock block in departure.Blocks) Pool.Free(block.Slot);
        _departures.Remove(departure);
        departure.End();
        if (_disposed && _departures.Count == 0) Pool.Dispose();
    }

    // A store may still write into these blocks of a lease, which nobody sees: they leave it now, and are free when that has ended.
    private void FreeLater(BlockLease lease, int from, int to, Task late)
    {
        Departure departure = new(_time) { IsBeingWritten = true };
        ReadOnlySpan<int> slots = lease.Table.Slots;
        for (int i = Math.Min(to, slots.Length) - 1; i >= from; i--) departure.Blocks.Add(new EvictedBlock { Slot = slots[i] });
        if (departure.Blocks.Count == 0) return;
        _departures.Add(departure);
        late.ContinueWith(
            _ =>
            {
                lock (_lock) End(departure);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void NotifySealed(RadixNode node, int slot, int tokenCount)
    {
        if (_observer is null) return;
        DateTimeOffset? expires = node.TimeToLive == RadixNode.NoTimeToLive ? null : node.ExpiresAfter(_tree.Order.ReadClock());
        try
        {
            _observer.OnSealed(_tree.HashOf(slot), BlockAttributes.Of(tokenCount, node.Priority, expires, node.Root.Tenant), Pool.Bytes(slot));
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _observerFaults);
        }
    }

    // Without the lock; the lease that found the blocks holds them. What is not noted now is told again when it is next found.
    private void NotifyReused(List<ReusedBlock>? blocks)
    {
        if (blocks is null) return;
        int noted = 0;
        try
        {
            while (noted < blocks.Count && _observer!.OnReused(blocks[noted].Hash, blocks[noted].Attributes, Pool.Bytes(blocks[noted].Slot))) noted++;
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _observerFaults);
        }

        if (noted == blocks.Count) return;
        lock (_lock)
            foreach (ReusedBlock block in blocks.Skip(noted)) _reuse!.Clear(block.Slot);
    }

    private void NotifyTaken(int freeBlocks)
    {
        try
        {
            _observer?.OnTaken(freeBlocks, Pool.Capacity);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _observerFaults);
        }
    }

    private EvictedBlock TakeVictim()
    {
        if (!_tree.TryEvict(out EvictedBlock block)) throw new InvalidOperationException("A block was counted as evictable, and none is.");
        CountEvicted(block);
        return block;
    }

    private void CountEvicted(in EvictedBlock block)
    {
        switch (block.Cause)
        {
            case EvictionCause.Superseded: _totals.EvictedSupersededBlocks++; break;
            case EvictionCause.Expired: _totals.EvictedExpiredBlocks++; break;
            default: _totals.EvictedLiveBlocks++; break;
        }
    }

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
            if (missing > 0) Evict(missing, promisedBlocks: available, patience: ResizePatience);
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
                BytesPerBlock = Shape.BytesPerBlock,
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
                Totals = _totals with { ObserverFaults = Interlocked.Read(ref _observerFaults) },
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
