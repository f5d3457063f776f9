namespace KvTiers.Blocks;

/// <summary>A sequence's ordered slots: entry i holds token positions i × BlockSize to (i + 1) × BlockSize − 1.</summary>
/// <remarks>Append-only, but for truncation. A lease's table is changed by the cache alone; everyone else reads it.</remarks>
public sealed class BlockTable
{
    private int[] _slots = [];
    private nint[] _addresses = [];

    internal BlockTable()
    {
    }

    /// <summary>Blocks in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Each block's place in the pool, in token order. Valid until the table changes.</summary>
    public ReadOnlySpan<int> Slots => _slots.AsSpan(0, Count);

    /// <summary>Each block's first byte, in token order. Valid until the table changes.</summary>
    public ReadOnlySpan<nint> Addresses => _addresses.AsSpan(0, Count);

    /// <summary>Adds a block at the end.</summary>
    internal void Append(int slot, nint address)
    {
        if (Count == _slots.Length) EnsureCapacity(Math.Max(8, Count * 2));
        Count++;
        Set(Count - 1, slot, address);
    }

    /// <summary>Keeps the first <paramref name="count"/> blocks. The slots of the others are not freed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The table has fewer blocks.</exception>
    internal void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count, nameof(count));
        Count = count;
    }

    /// <summary>Makes the table at least <paramref name="count"/> blocks long; new entries are to be <see cref="Set"/>.</summary>
    internal void EnsureCount(int count)
    {
        if (count > _slots.Length) EnsureCapacity(count);
        Count = Math.Max(Count, count);
    }

    internal void Set(int index, int slot, nint address)
    {
        _slots[index] = slot;
        _addresses[index] = address;
    }

    private void EnsureCapacity(int capacity)
    {
        Array.Resize(ref _slots, capacity);
        Array.Resize(ref _addresses, capacity);
    }
}
