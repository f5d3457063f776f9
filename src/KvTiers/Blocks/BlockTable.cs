namespace KvTiers.Blocks;

/// <summary>A sequence's blocks in order: entry i holds positions i × BlockSize and on. Append-only but for truncation.</summary>
public sealed class BlockTable
{
    private int[] _slots = new int[8];
    private nint[] _addresses = new nint[8];

    /// <summary>Blocks in the table.</summary>
    public int Count { get; private set; }

    /// <summary>The place of each block in its pool.</summary>
    public ReadOnlySpan<int> Slots => _slots.AsSpan(0, Count);

    /// <summary>The first byte of each block.</summary>
    public ReadOnlySpan<nint> Addresses => _addresses.AsSpan(0, Count);

    /// <summary>Adds a block at the end.</summary>
    public void Append(int slot, nint address)
    {
        if (Count == _slots.Length)
        {
            Array.Resize(ref _slots, Count * 2);
            Array.Resize(ref _addresses, Count * 2);
        }
        _slots[Count] = slot;
        _addresses[Count++] = address;
    }

    /// <summary>Keeps the first <paramref name="count"/> blocks.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count, nameof(count));
        Count = count;
    }
}
