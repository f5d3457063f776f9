using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KvTiers.Prefix;

namespace KvTiers.Tiers.Disk;

/// <content>Slots and the segments they lie in: found at the start, reserved as they are needed, given back when the store shrinks.</content>
internal sealed partial class DiskStore
{
    /// <summary>Takes a slot in a segment that exists, evicting as needed.</summary>
    private bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, [NotNullWhen(true)] out DirectFile? segment)
    {
        segment = null;
        if (_index.Capacity != _configuredSlots && _time.GetUtcNow() >= _growthBlockedUntil)
            _index.Resize(_configuredSlots);

        while (true)
        {
            if (_index.TryTake(hash, attributes, out slot))
            {
                if (TryMapSegmentOf(slot))
                {
                    segment = _segments[slot / _slotsPerSegment];
                    return true;
                }

                _index.Abandon(slot);
                if (_segments.Count == 0)
                    return false;

                _index.Resize(_segments.Count * _slotsPerSegment);
            }
            else if (_index.TryPeekVictim(out int victim))
            {
                Evict(victim);
            }
            else
            {
                return false;
            }
        }
    }

    private void Evict(int victim)
    {
        _index.Remove(victim);
        _totals = _totals with { EvictedRecords = _totals.EvictedRecords + 1 };
    }

    // Reserving a segment takes a while, which the first write should not pay. A disk that is full by now is tried again later.
    private void ReserveFirstSegment() => TryMapSegmentOf(0);

    private bool TryMapSegmentOf(int slot)
    {
        try
        {
            while (_segments.Count <= slot / _slotsPerSegment)
                _segments.Add(DirectFile.Open(SegmentPath(_segments.Count), SegmentBytesUsed, _options.PreferDirect));

            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _growthBlockedUntil = _time.GetUtcNow() + _options.GrowthRetry;
            return false;
        }
    }

    /// <summary>Maps the segments that are whole, and fills the index from the last shutdown's, or from every slot's header.</summary>
    private void Recover()
    {
        OpenSegments();
        if (TryLoadIndex())
            OpenedFromIndex = true;
        else
            ScanHeaders();
    }

    // Segments are numbered without gaps; from the first that is missing or has another length, the rest is made anew.
    private void OpenSegments()
    {
        int count = 0;
        int needed = (_configuredSlots + _slotsPerSegment - 1) / _slotsPerSegment;
        while (count < needed && new FileInfo(SegmentPath(count)) is { Exists: true } file && file.Length == SegmentBytesUsed)
        {
            _segments.Add(DirectFile.Open(file.FullName, SegmentBytesUsed, _options.PreferDirect));
            count++;
        }

        foreach (string path in Directory.EnumerateFiles(_options.Folder, "segment-*.kvb"))
        {
            string number = Path.GetFileNameWithoutExtension(path)["segment-".Length..];
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index >= count)
                File.Delete(path);
        }
    }

    private void ScanHeaders()
    {
        var found = new List<(int Slot, RecordHeader Header)>();
        using var sector = new AlignedBuffer(BlockRecord.SectorBytes);
        int slots = Math.Min(_segments.Count * _slotsPerSegment, _configuredSlots);
        for (int slot = 0; slot < slots; slot++)
        {
            if (_segments[slot / _slotsPerSegment].TryRead(OffsetOf(slot), sector.GetSpan())
                && _format.TryReadHeader(sector.GetSpan(), out RecordHeader header) == RecordFault.None)
                found.Add((slot, header));
        }

        // Of two records of one block the later one counts.
        _index.Adopt(found.OrderByDescending(item => item.Header.Sequence).DistinctBy(item => item.Header.Hash).Reverse()
            .Select(item => (item.Slot, item.Header.Hash, item.Header.Attributes)));
    }
}
