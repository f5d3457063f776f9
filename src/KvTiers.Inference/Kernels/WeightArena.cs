using Microsoft.Win32.SafeHandles;

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
    private readonly CancellationTokenSource _disposing = new();
    private long _used;
    private MappedWeights? _mapped;
    private Task _moving = Task.CompletedTask;

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

    /// <summary>Packed matrices of a file, mapped where the system can, else read; until the arena is cleared or disposed. Once.</summary>
    /// <param name="file">May be closed afterwards.</param>
    /// <param name="byteCount">The file's length.</param>
    /// <returns>Its first byte, aligned to a page.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public byte* Load(SafeFileHandle file, long byteCount)
    {
        if (OperatingSystem.IsLinux())
        {
            _mapped = new MappedWeights(file, byteCount);
            return _mapped.Start;
        }

        byte* start = Take(byteCount);
        for (long done = 0; done < byteCount;)
        {
            int count = RandomAccess.Read(file, new Span<byte>(start + done, (int)Math.Min(segmentBytes, byteCount - done)), done);
            if (count == 0)
                throw new EndOfStreamException("The file was cut short while it was read.");
            done += count;
        }

        return start;
    }

    /// <summary>Moves what is mapped from a file to huge pages, in the background and in place; the matrices may be in use.</summary>
    /// <returns>Ends when it is done, or it is cancelled, or the arena is disposed; what is not moved then stays as it is.</returns>
    public Task MoveToHugePagesAsync(CancellationToken cancellationToken)
    {
        if (_mapped is { } mapped)
        {
            _moving = Task.Run(
                () =>
                {
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(_disposing.Token, cancellationToken);
                    mapped.MoveToHugePages(either.Token);
                },
                CancellationToken.None);
        }

        return _moving;
    }

    /// <summary>Gives all memory back.</summary>
    public void Clear()
    {
        _mapped?.Dispose();
        _mapped = null;
        foreach (NativeBuffer segment in _segments)
            segment.Dispose();
        _segments.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposing.Cancel();
        _moving.Wait();
        _disposing.Dispose();
        Clear();
    }
}
