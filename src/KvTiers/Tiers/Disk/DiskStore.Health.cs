namespace KvTiers.Tiers.Disk;

/// <content>What is amiss with the disk, and whether it still is.</content>
internal sealed partial class DiskStore
{
    private string? _readFault;
    private string? _writeFault;

    /// <summary>What the store cannot do now, or how much less it holds than it was given; null = neither. Asked for, it looks again in the background when it is time to.</summary>
    public string? Trouble
    {
        get
        {
            lock (_lock)
            {
                string? cause = _writeFault ?? _readFault ?? _shortage;
                if (cause is not null && !_disposed && _time.GetUtcNow() >= _lookAgainAt)
                {
                    _lookAgainAt = _time.GetUtcNow() + _options.GrowthRetry;
                    _ = Task.Run(LookAgain);
                }

                return cause is null ? null : $"the disk tier: {cause}";
            }
        }
    }

    private void LookAgain()
    {
        int slot;
        DirectFile? segment = null;
        lock (_lock)
        {
            if (_disposed)
                return;
            if (_shortage is not null)
                Fit();
            if ((_readFault ?? _writeFault) is null)
                return;
            slot = _index.InOrder().FirstOrDefault(-1);
            if (slot >= 0)
            {
                _index.Pin(slot);
                segment = _segments[slot / _slotsPerSegment];
            }
        }

        // An empty store has nothing to lose: the next write tells.
        bool works = segment is null || Works(segment, OffsetOf(slot));
        lock (_lock)
        {
            if (segment is not null)
                _index.Unpin(slot);
            if (works)
                _readFault = _writeFault = null;
        }
    }

    // A record's header is read and written back.
    private static bool Works(DirectFile segment, long offset)
    {
        using var header = new AlignedBuffer(BlockRecord.SectorBytes);
        try
        {
            if (!segment.TryRead(offset, header.GetSpan()))
                return false;
            segment.Write(offset, header.GetSpan());
            segment.Flush();
            return true;
        }
        catch (Exception fault) when (DiskFault.Is(fault) || fault is ObjectDisposedException)
        {
            return false;
        }
    }

    private void NoteFault(Exception fault, bool writing)
    {
        if (!DiskFault.Is(fault) || fault is EndOfStreamException)
            return;
        lock (_lock)
        {
            ref string? known = ref (writing ? ref _writeFault : ref _readFault);
            if (known is null)
                _lookAgainAt = _time.GetUtcNow() + _options.GrowthRetry;
            known = $"it cannot be {(writing ? "written" : "read")}: {DiskFault.CauseOf(fault)}";
        }
    }
}
