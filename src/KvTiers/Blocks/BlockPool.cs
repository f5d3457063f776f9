using System.Numerics;

namespace KvTiers.Blocks;

/// <summary>The hot tier's memory: a fixed number of equal blocks in native segments, and the queue of the free ones.</summary>
/// <remarks>
/// Taking and freeing are O(1) and allocate nothing. A block's address never changes while it is in use: segments stay mapped until the
/// pool is disposed, and shrinking retires free slots, whose pages go back to the system. Contents of a fresh block are unspecified,
/// zeros or what its last user left. Taking, freeing and resizing want one caller at a time (the cache holds its lock);
/// <see cref="Address"/> and <see cref="Bytes"/> of a block one holds are free of that.
/// </remarks>
public sealed unsafe class BlockPool : IDisposable
{
    private const long SegmentBytes = 64 << 20;

    // A huge page at a time, and a pause after each: while the system fills pages, whoever maps memory waits, as the compiler does for each method.
    private const long PopulateBytes = 2 << 20;
    private static readonly TimeSpan PopulatePause = TimeSpan.FromMilliseconds(1);

    private readonly int _segmentShift;
    private readonly FreeBlockQueue _free = new();
    private readonly CancellationTokenSource _disposing = new();
    private bool _prefault;
    private Task _prefaulting = Task.CompletedTask;
    private SlabSegment[] _segments = [];
    private SlotState[] _states = [];
    private int _retiredCount;

    /// <summary>Maps a pool.</summary>
    /// <param name="shape">The shape of a block.</param>
    /// <param name="capacity">Blocks, at least 1.</param>
    /// <param name="prefault">Makes the memory resident in the background, so that no request pays for first touch.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is not positive.</exception>
    /// <exception cref="OutOfMemoryException">The system refuses the address space.</exception>
    internal BlockPool(BlockShape shape, int capacity, bool prefault = false)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Shape = shape;
        _prefault = prefault;
        _segmentShift = BitOperations.Log2((uint)Math.Max(1, SegmentBytes / shape.BytesPerBlock));
        Grow(capacity);
    }

    /// <summary>The shape of a block.</summary>
    public BlockShape Shape { get; }

    /// <summary>Blocks in service, free and used.</summary>
    public int Capacity => SlotCount - _retiredCount;

    /// <summary>Blocks that can be taken now.</summary>
    public int FreeCount => _free.Count;

    /// <summary>Slots ever in service: a slot is less than this.</summary>
    internal int SlotCount => _states.Length;

    /// <summary>Takes the slot that has been free for longest. Its contents are unspecified.</summary>
    /// <returns>False when no block is free.</returns>
    internal bool TryAllocate(out int slot)
    {
        if (!_free.TryDequeue(out slot)) return false;
        _states[slot] = SlotState.Used;
        return true;
    }

    /// <summary>Gives a slot back.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot.</exception>
    /// <exception cref="InvalidOperationException">The slot is not in use.</exception>
    internal void Free(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)SlotCount, nameof(slot));
        if (_states[slot] != SlotState.Used) throw new InvalidOperationException($"Slot {slot} is {_states[slot]}; only a used one can be freed.");
        _states[slot] = SlotState.Free;
        _free.Enqueue(slot);
    }

    /// <summary>Where the slot's <see cref="BlockShape.BytesPerBlock"/> bytes start, 64-byte aligned, until the pool is disposed.</summary>
    public nint Address(int slot)
    {
        SlabSegment segment = _segments[slot >> _segmentShift];
        return segment.Start + (nint)(slot & ((1 << _segmentShift) - 1)) * Shape.BytesPerBlock;
    }

    /// <summary>The slot's bytes.</summary>
    public Span<byte> Bytes(int slot) => new((void*)Address(slot), Shape.BytesPerBlock);

    /// <summary>Copies one block's bytes to another.</summary>
    internal void Copy(int fromSlot, int toSlot) => Bytes(fromSlot).CopyTo(Bytes(toSlot));

    /// <summary>Makes the memory resident in the background, what is there now and what is added later. Again it does nothing.</summary>
    internal void StartPrefault()
    {
        if (_prefault) return;
        _prefault = true;
        int slotCount = SlotCount;
        _prefaulting = _prefaulting.ContinueWith(_ => Prefault(0, slotCount), TaskScheduler.Default);
    }

    /// <summary>Ends when all memory is resident, or the pool is disposed.</summary>
    internal Task Prefaulting => _prefaulting;

    internal SlotState State(int slot) => _states[slot];

    /// <summary>The free slots, the next one to be taken first.</summary>
    internal int[] FreeSlots() => _free.ToArray();

    /// <summary>Puts <paramref name="count"/> more blocks into service: retired ones first, lowest slot first, then new ones.</summary>
    internal void Grow(int count)
    {
        for (int slot = 0; slot < SlotCount && count > 0 && _retiredCount > 0; slot++)
        {
            if (_states[slot] != SlotState.Retired) continue;
            _states[slot] = SlotState.Free;
            _retiredCount--;
            _free.Enqueue(slot);
            count--;
        }

        if (count == 0) return;
        int oldSlotCount = SlotCount;
        int slotCount = checked(oldSlotCount + count);
        MapSegmentsFor(slotCount);
        Array.Resize(ref _states, slotCount);
        _free.EnsureCapacity(slotCount);
        for (int slot = oldSlotCount; slot < slotCount; slot++) _free.Enqueue(slot);
        if (_prefault) _prefaulting = _prefaulting.ContinueWith(_ => Prefault(oldSlotCount, slotCount), TaskScheduler.Default);
    }

    /// <summary>Takes up to <paramref name="count"/> free blocks out of service, highest slots first.</summary>
    /// <returns>How many were taken.</returns>
    internal int Retire(int count)
    {
        int retired = 0;
        for (int slot = SlotCount - 1; slot >= 0 && retired < Math.Min(count, FreeCount); slot--)
        {
            if (_states[slot] != SlotState.Free) continue;
            _states[slot] = SlotState.Retired;
            retired++;
        }

        _retiredCount += retired;
        _free.RemoveAllBut(slot => _states[slot] == SlotState.Free);
        DiscardRetired();
        return retired;
    }

    /// <summary>Unmaps the memory. Nobody may be using a block.</summary>
    public void Dispose()
    {
        _disposing.Cancel();
        _prefaulting.Wait();
        foreach (SlabSegment segment in _segments) segment.Dispose();
    }

    private void MapSegmentsFor(int slotCount)
    {
        int needed = ((slotCount - 1) >> _segmentShift) + 1;
        if (needed == _segments.Length) return;
        SlabSegment[] segments = new SlabSegment[needed];
        _segments.CopyTo(segments, 0);
        for (int i = _segments.Length; i < needed; i++) segments[i] = new SlabSegment((long)Shape.BytesPerBlock << _segmentShift);
        Volatile.Write(ref _segments, segments);
    }

    private void Prefault(int firstSlot, int endSlot)
    {
        ForEachRun(firstSlot, endSlot, _ => true, (segment, offset, byteCount) =>
        {
            for (long done = 0; done < byteCount && !_disposing.IsCancellationRequested; done += PopulateBytes)
            {
                segment.Populate(offset + done, Math.Min(PopulateBytes, byteCount - done));
                Thread.Sleep(PopulatePause);
            }
        });
    }

    private void DiscardRetired() =>
        ForEachRun(0, SlotCount, slot => _states[slot] == SlotState.Retired, (segment, offset, byteCount) => segment.Discard(offset, byteCount));

    // Adjacent slots of one segment are one run, so that blocks smaller than a page are handled by the page all the same.
    private void ForEachRun(int firstSlot, int endSlot, Predicate<int> include, Action<SlabSegment, long, long> action)
    {
        int segmentMask = (1 << _segmentShift) - 1;
        int slot = firstSlot;
        while (slot < endSlot)
        {
            int start = slot;
            while (slot < endSlot && include(slot) && (slot == start || (slot & segmentMask) != 0)) slot++;
            if (slot == start)
                slot++;
            else
                action(_segments[start >> _segmentShift], (long)(start & segmentMask) * Shape.BytesPerBlock, (long)(slot - start) * Shape.BytesPerBlock);
        }
    }
}
