namespace KvTiers.Inference.Kernels;

/// <summary>
/// Memory for packed matrices, one after the other in pieces large enough for huge pages: a decode step reads all of it, and with small pages it would look up
/// an address every 4 KiB. The end of a matrix leads into the next one that is read, so reading ahead is never in vain.
/// </summary>
/// <param name="segmentBytes">Bytes taken from the system at a time; a larger matrix gets a piece of its own.</param>
internal sealed unsafe class WeightArena(long segmentBytes = WeightArena.DefaultSegmentBytes) : IDisposable
{
    // Large enough that the allocator always maps it fresh: what no matrix reaches is never touched and takes no memory.
    private const long DefaultSegmentBytes = 64 << 20;
    private const int Alignment = 64;
    private readonly List<NativeBuffer> _segments = [];
    private long _used;

    /// <summary>Memory for one matrix, 64-byte aligned, with undefined contents, until the arena is cleared or disposed.</summary>
    public byte* Take(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        long rounded = (byteCount + Alignment - 1) / Alignment * Alignment;
        if (_segments.Count == 0 || rounded > _segments[^1].ByteCount - _used)
        {
            _segments.Add(new NativeBuffer(Math.Max(segmentBytes, rounded), clear: false));
            _used = 0;
        }
        byte* start = _segments[^1].Bytes + _used;
        _used += rounded;
        return start;
    }

    /// <summary>Gives all memory back.</summary>
    public void Clear()
    {
        foreach (NativeBuffer segment in _segments)
            segment.Dispose();
        _segments.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
