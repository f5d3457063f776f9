namespace KvTiers.Blocks;

/// <summary>The free slots, first in first out, in a ring: O(1) to take and to give back.</summary>
/// <remarks>First in first out leaves a freed block's bytes alone for as long as possible.</remarks>
internal sealed class FreeBlockQueue
{
    private int[] _ring = [];
    private int _head;

    public int Count { get; private set; }

    /// <summary>Makes room for <paramref name="slotCount"/> slots in total, so that <see cref="Enqueue"/> never allocates.</summary>
    public void EnsureCapacity(int slotCount)
    {
        if (slotCount <= _ring.Length) return;
        int[] ring = new int[slotCount];
        CopyTo(ring);
        _ring = ring;
        _head = 0;
    }

    public void Enqueue(int slot)
    {
        int tail = _head + Count;
        _ring[tail < _ring.Length ? tail : tail - _ring.Length] = slot;
        Count++;
    }

    public bool TryDequeue(out int slot)
    {
        if (Count == 0)
        {
            slot = 0;
            return false;
        }

        slot = _ring[_head];
        if (++_head == _ring.Length) _head = 0;
        Count--;
        return true;
    }

    /// <summary>Keeps the slots that <paramref name="keep"/> accepts, in their order.</summary>
    public void RemoveAllBut(Predicate<int> keep)
    {
        int[] slots = ToArray();
        _head = 0;
        Count = 0;
        foreach (int slot in slots)
        {
            if (keep(slot))
                Enqueue(slot);
        }
    }

    /// <summary>The slots from the next one to be taken to the last.</summary>
    public int[] ToArray()
    {
        int[] slots = new int[Count];
        CopyTo(slots);
        return slots;
    }

    private void CopyTo(int[] destination)
    {
        int first = Math.Min(Count, _ring.Length - _head);
        _ring.AsSpan(_head, first).CopyTo(destination);
        _ring.AsSpan(0, Count - first).CopyTo(destination.AsSpan(first));
    }
}
