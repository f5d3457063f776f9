using KvTiers.Prefix;

namespace KvTiers;

/// <content>Room: how much there is, and who leaves to make some.</content>
public sealed partial class KvCache
{
    // Whoever makes the hot tier smaller waits for the tiers below, and nobody else does.
    private static readonly TimeSpan ResizePatience = TimeSpan.FromSeconds(10);

    private readonly List<Eviction> _evictions = [];
    private readonly Stack<Eviction> _spareEvictions = [];

    // Slots of former leases that a store may still write to.
    private readonly List<int[]> _lateSlots = [];

    // Free blocks that nobody waits for.
    private int AvailableCount
    {
        get
        {
            int available = Pool.FreeCount;
            foreach (Eviction eviction in _evictions) available -= eviction.PromisedBlocks;
            return available;
        }
    }

    private int PendingFreeCount => _evictions.Sum(eviction => eviction.Blocks.Count) + _lateSlots.Sum(slots => slots.Length);

    private bool AreSlotsAwaited => _evictions.Count + _lateSlots.Count > 0;

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

    /// <summary>Ends when the recipient has seen every block that is out of the tree by now.</summary>
    internal Task EvictionsAsync()
    {
        lock (_lock) return Task.WhenAll(_evictions.Select(eviction => eviction.Done));
    }

    /// <summary>Ends when the recipient has seen one of these blocks; null when none is on its way out.</summary>
    internal Task? EvictionOf(ReadOnlyMemory<BlockHash> hashes)
    {
        lock (_lock) return _evictions.Find(eviction => eviction.Blocks.Exists(block => hashes.Span.Contains(block.Hash)))?.Done;
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

    // What is evicted ahead of need is not in use: it is waited for rather than refused.
    private bool TryAwaitRoomMadeAhead(int blockCount)
    {
        long ahead = 0;
        Eviction? last = null;
        foreach (Eviction eviction in _evictions)
        {
            if (!eviction.IsAhead) continue;
            ahead += eviction.Blocks.Count;
            last = eviction;
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

    // Takes blocks that are evictable out of the tree, and frees their slots once the recipient has seen them. The lock is left for the
    // recipient's time, so anything but the caller's own lease may have changed afterwards; the promised blocks are still free.
    private void Evict(int blockCount, int promisedBlocks, bool isAhead = false, TimeSpan? patience = null)
    {
        if (_recipient is null)
        {
            for (int i = 0; i < blockCount; i++) Pool.Free(TakeVictim().Slot);
            return;
        }

        if (!_spareEvictions.TryPop(out Eviction? eviction)) eviction = new Eviction(_time);
        for (int i = 0; i < blockCount; i++) eviction.Blocks.Add(TakeVictim());
        eviction.PromisedBlocks = promisedBlocks;
        eviction.IsAhead = isAhead;
        _evictions.Add(eviction);
        _lock.Exit();
        try
        {
            StallBudget budget = eviction.Budget.Begin(patience ?? _patience);
            foreach (EvictedBlock block in eviction.Blocks) Show(block, budget);
        }
        finally
        {
            _lock.Enter();
            End(eviction);
            _spareEvictions.Push(eviction);
        }
    }

    private void Show(in EvictedBlock block, StallBudget budget)
    {
        try
        {
            var attributes = BlockAttributes.Of(block.TokenCount, block.Priority, block.Expires, block.Tenant);
            _recipient!.OnEvicting(block.Hash, attributes, Pool.Bytes(block.Slot), block.Cause, budget);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _recipientFaults);
        }
    }

    // The slots of an eviction become free together.
    private void End(Eviction eviction)
    {
        foreach (EvictedBlock block in eviction.Blocks) Pool.Free(block.Slot);
        _evictions.Remove(eviction);
        eviction.End();
        DisposePoolIfLast();
    }

    // A store may still write into these blocks of a lease, which nobody sees: they leave it now, and are free when that has ended.
    private void FreeLater(BlockLease lease, int from, int to, Task late)
    {
        if (from >= to) return;
        int[] slots = lease.Table.Slots[from..to].ToArray();
        _lateSlots.Add(slots);
        late.ContinueWith(_ => EndLate(slots), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void EndLate(int[] slots)
    {
        lock (_lock)
        {
            for (int i = slots.Length - 1; i >= 0; i--) Pool.Free(slots[i]);
            _lateSlots.Remove(slots);
            DisposePoolIfLast();
        }
    }

    private void DisposePoolIfLast()
    {
        if (_disposed && !AreSlotsAwaited) Pool.Dispose();
    }

    private void NotifySealed(RadixNode node, int slot, int tokenCount)
    {
        if (_recipient is null) return;
        DateTimeOffset? expires = node.TimeToLive == RadixNode.NoTimeToLive ? null : node.ExpiresAfter(_tree.Order.ReadClock());
        try
        {
            _recipient.OnSealed(_tree.HashOf(slot), BlockAttributes.Of(tokenCount, node.Priority, expires, node.Root.Tenant), Pool.Bytes(slot));
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _recipientFaults);
        }
    }

    // Without the lock; the lease that found the blocks holds them. What is not noted now is told again when it is next found.
    private void NotifyReused(List<ReusedBlock>? blocks)
    {
        if (blocks is null) return;
        int noted = 0;
        try
        {
            while (noted < blocks.Count && _recipient!.OnReused(blocks[noted].Hash, blocks[noted].Attributes, Pool.Bytes(blocks[noted].Slot))) noted++;
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _recipientFaults);
        }

        if (noted == blocks.Count) return;
        lock (_lock)
            foreach (ReusedBlock block in blocks.Skip(noted)) _reuse!.Clear(block.Slot);
    }

    private void NotifyTaken(int freeBlocks)
    {
        try
        {
            _recipient?.OnTaken(freeBlocks, Pool.Capacity);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _recipientFaults);
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

    /// <summary>Frees every block that nobody holds. The recipient is not shown them: they are to be forgotten, not kept elsewhere.</summary>
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
            int pendingFree = PendingFreeCount;
            return new CacheSnapshot
            {
                CapacityBlocks = Pool.Capacity,
                BytesPerBlock = Shape.BytesPerBlock,
                FreeBlocks = Pool.FreeCount,
                PrivateBlocks = Pool.Capacity - Pool.FreeCount - _tree.BlockCount - pendingFree,
                HeldBlocks = _tree.BlockCount - _tree.EvictableBlockCount,
                EvictableBlocks = _tree.EvictableBlockCount,
                PendingFreeBlocks = pendingFree,
                SupersededBlocks = _tree.SupersededBlockCount,
                Leases = _leases.Count,
                Pins = _pins.Count,
                Roots = _tree.RootCount,
                Nodes = _tree.NodeCount,
                Totals = _totals with { RecipientFaults = Interlocked.Read(ref _recipientFaults) },
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

    internal void Inspect(Action<RadixTree, IReadOnlyCollection<BlockLease>, IReadOnlyCollection<Pin>, IReadOnlyCollection<Eviction>, IReadOnlyCollection<int[]>> look)
    {
        lock (_lock) look(_tree, _leases, _pins, _evictions, _lateSlots);
    }

    private int TakeSlot() => Pool.TryAllocate(out int slot) ? slot : throw new InvalidOperationException("Room was made, and no block is free.");
}
