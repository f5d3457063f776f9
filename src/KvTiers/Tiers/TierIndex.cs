using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>
/// Knows which block lies in which slot of a store and which goes first: expired ones, then those of the lowest priority, then the least
/// recently used.
/// </summary>
/// <remarks>
/// Not thread-safe: its store holds a lock. Taking, finding, touching and removing are O(1), but that an entry with an
/// expiry costs O(log n). All state is in flat arrays, so that a million entries are no work for the garbage collector.
/// A slot is in one of four states: free; filling (taken, not yet to be found); held (to be found and evicted); or held
/// and pinned (to be found, not evicted), while somebody reads or moves it.
/// </remarks>
internal sealed partial class TierIndex
{
    private const int None = -1;
    private const int Lists = BlockAttributes.MaxPriority + 2; // 0: expired, 1 + p: priority p

    private readonly Dictionary<BlockHash, int> _slots = [];
    private readonly FreeBlockQueue _free = new();
    private readonly PriorityQueue<(int Slot, BlockHash Hash), long> _expiries = new();
    private readonly Dictionary<int, Tenant> _tenants = [];
    private readonly Ends _all = new();
    private readonly TimeProvider _time;
    private Entry[] _entries = [];
    private int _retiredCount;

    public TierIndex(int capacity, TimeProvider time)
    {
        _time = time;
        Resize(capacity);
    }

    private enum SlotState : byte
    {
        Free,
        Filling,
        Held,
        Retired,
    }

    /// <summary>Slots in service.</summary>
    public int Capacity => _entries.Length - _retiredCount;

    /// <summary>Blocks that can be found.</summary>
    public int Count => _slots.Count;

    public int FreeCount => _free.Count;

    /// <summary>Slots that are filling or held.</summary>
    public int InUseCount => Capacity - FreeCount;

    /// <summary>Slots ever in service: a slot is less than this.</summary>
    public int SlotCount => _entries.Length;

    public bool TryFind(BlockHash hash, out int slot) => _slots.TryGetValue(hash, out slot);

    public int CountLeading(ReadOnlySpan<BlockHash> chain)
    {
        int count = 0;
        while (count < chain.Length && _slots.ContainsKey(chain[count]))
            count++;

        return count;
    }

    /// <summary>Blocks of a tenant that can be found.</summary>
    public int CountOf(int tenant) => _tenants.TryGetValue(tenant, out Tenant? held) ? held.Count : 0;

    /// <summary>Entries that were looked at to find victims of one tenant.</summary>
    public long VisitedEntries { get; private set; }

    public BlockHash HashOf(int slot) => _entries[slot].Hash;

    public BlockAttributes AttributesOf(int slot) => _entries[slot].Attributes;

    public bool IsPinned(int slot) => _entries[slot].Pins > 0;

    /// <summary>Whether the slot's bytes belong to nobody.</summary>
    public bool IsUnused(int slot) => _entries[slot].State is SlotState.Free or SlotState.Retired;

    public bool IsRetired(int slot) => _entries[slot].State == SlotState.Retired;

    /// <summary>Takes a free slot for <paramref name="hash"/>, which is found only after <see cref="Commit"/>.</summary>
    /// <returns>False when none is free.</returns>
    public bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot)
    {
        if (!_free.TryDequeue(out slot))
            return false;

        _entries[slot] = new Entry { Hash = hash, Attributes = attributes, State = SlotState.Filling, List = None };
        return true;
    }

    /// <summary>The filled slot can be found from now on, as the most recently used. A block that came first keeps its place.</summary>
    /// <returns>False when the block was there already; the slot is then free again.</returns>
    public bool Commit(int slot)
    {
        ref Entry entry = ref _entries[slot];
        if (!_slots.TryAdd(entry.Hash, slot))
        {
            Abandon(slot);
            return false;
        }

        if (!_tenants.TryGetValue(entry.Attributes.Tenant, out Tenant? tenant))
            _tenants.Add(entry.Attributes.Tenant, tenant = new Tenant());

        tenant.Count++;
        entry.State = SlotState.Held;
        TrackExpiry(slot);
        Append(slot);
        return true;
    }

    /// <summary>Fills an index in which every slot is free with what a store held before, the first victim first.</summary>
    /// <param name="records">Each slot and each hash at most once.</param>
    public void Adopt(IEnumerable<(int Slot, BlockHash Hash, BlockAttributes Attributes)> records)
    {
        foreach ((int slot, BlockHash hash, BlockAttributes attributes) in records)
        {
            _entries[slot] = new Entry { Hash = hash, Attributes = attributes, State = SlotState.Filling, List = None };
            Commit(slot);
        }

        _free.RemoveAllBut(slot => _entries[slot].State == SlotState.Free);
    }

    /// <summary>Frees a slot, as of a block that could not be filled in.</summary>
    public void Abandon(int slot)
    {
        _entries[slot] = new Entry { State = SlotState.Free, List = None };
        _free.Enqueue(slot);
    }

    /// <summary>The block was used: it goes to the end of its list, and its expiry moves where <paramref name="expires"/> says.</summary>
    public void Touch(int slot, DateTimeOffset? expires)
    {
        ref Entry entry = ref _entries[slot];
        if (entry.Attributes.Expires != expires)
        {
            entry.Attributes = entry.Attributes with { Expires = expires };
            TrackExpiry(slot);
        }

        if (entry.Pins == 0)
        {
            Unlink(slot);
            Append(slot);
        }
    }

    /// <summary>Bars eviction until as many <see cref="Unpin"/> calls.</summary>
    public void Pin(int slot)
    {
        if (_entries[slot].Pins++ == 0)
            Unlink(slot);
    }

    /// <summary>Undoes one <see cref="Pin"/>. The last one counts as a use, or frees the slot when it was removed meanwhile.</summary>
    public void Unpin(int slot)
    {
        ref Entry entry = ref _entries[slot];
        if (--entry.Pins > 0)
            return;

        if (entry.Removed)
            Abandon(slot);
        else
            Append(slot);
    }

    /// <summary>Changes the number of slots in service. Shrinking takes free slots only: the caller evicts first, and calls again.</summary>
    /// <returns>Whether the capacity is what was asked for.</returns>
    public bool Resize(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        for (int slot = 0; slot < _entries.Length && Capacity < capacity; slot++)
        {
            if (_entries[slot].State == SlotState.Retired)
            {
                _entries[slot].State = SlotState.Free;
                _retiredCount--;
                _free.Enqueue(slot);
            }
        }

        if (Capacity < capacity)
        {
            int old = _entries.Length;
            Array.Resize(ref _entries, old + capacity - Capacity);
            _free.EnsureCapacity(_entries.Length);
            for (int slot = old; slot < _entries.Length; slot++)
                _free.Enqueue(slot);
        }

        for (int slot = _entries.Length - 1; slot >= 0 && Capacity > capacity; slot--)
        {
            if (_entries[slot].State == SlotState.Free)
            {
                _entries[slot].State = SlotState.Retired;
                _retiredCount++;
            }
        }

        _free.RemoveAllBut(slot => _entries[slot].State == SlotState.Free);
        return Capacity == capacity;
    }

    /// <summary>Every slot that can be found, the first victim first, pinned ones last.</summary>
    public IEnumerable<int> InOrder()
    {
        for (int list = 0; list < Lists; list++)
        {
            for (int slot = _all.First[list]; slot != None; slot = _entries[slot].InAll.Next)
                yield return slot;
        }

        foreach (int slot in _slots.Values)
        {
            if (_entries[slot].Pins > 0)
                yield return slot;
        }
    }

    private void ForgetTenantOf(in Entry entry)
    {
        Tenant tenant = _tenants[entry.Attributes.Tenant];
        if (--tenant.Count == 0)
            _tenants.Remove(entry.Attributes.Tenant);
    }

    private struct Entry
    {
        public BlockHash Hash;
        public BlockAttributes Attributes;
        public Links InAll;
        public Links InOwn;
        public int List;
        public int Pins;
        public SlotState State;
        public bool Removed;
    }

    private sealed class Tenant
    {
        public int Count { get; set; }

        public Ends Ends { get; } = new();
    }
}
