using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers;

public sealed partial class KvCache
{
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
        lock (_lock) return _departures.Count == 0 ? Task.CompletedTask : Task.WhenAll(_departures.Select(departure => departure.Done));
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
    private void Evict(int blockCount, int promisedBlocks, bool isAhead = false)
    {
        if (_observer is null)
        {
            for (int i = 0; i < blockCount; i++) Pool.Free(TakeVictim().Slot);
            return;
        }

        if (!_spareDepartures.TryPop(out Departure? departure)) departure = new Departure();
        for (int i = 0; i < blockCount; i++) departure.Blocks.Add(TakeVictim());
        departure.PromisedBlocks = promisedBlocks;
        departure.IsAhead = isAhead;
        _departures.Add(departure);
        _lock.Exit();
        try
        {
            foreach (EvictedBlock block in departure.Blocks)
                _observer.OnEvicting(block.Hash, Attributes(block.TokenCount, block.Priority, block.Expires, block.Tenant), Pool.Bytes(block.Slot), block.Cause);
        }
        finally
        {
            _lock.Enter();
            foreach (EvictedBlock block in departure.Blocks) Pool.Free(block.Slot);
            _departures.Remove(departure);
            departure.End();
            _spareDepartures.Push(departure);
            if (_disposed && _departures.Count == 0) Pool.Dispose();
        }
    }

    private void NotifySealed(RadixNode node, int slot, int tokenCount)
    {
        if (_observer is null) return;
        DateTimeOffset? expires = node.TimeToLive == RadixNode.NoTimeToLive ? null : node.ExpiresAfter(_tree.Order.ReadClock());
        _observer.OnSealed(_tree.HashOf(slot), Attributes(tokenCount, node.Priority, expires, node.Root.Tenant), Pool.Bytes(slot));
    }

    // Colder tiers know fewer ranks.
    private static BlockAttributes Attributes(int tokenCount, int priority, DateTimeOffset? expires, int tenant) =>
        new() { TokenCount = tokenCount, Priority = Math.Clamp(priority, 0, BlockAttributes.MaxPriority), Expires = expires, Tenant = tenant };

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
}
