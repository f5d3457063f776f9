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
        if (_shortage is not null && _time.GetUtcNow() >= _lookAgainAt)
            Fit();

        for (int refusals = 0; ;)
        {
            if (_index.TryTake(hash, attributes, out slot))
            {
                if (TryGetRoom(slot))
                {
                    segment = _segments[slot / _slotsPerSegment];
                    return true;
                }

                _index.Abandon(slot);
                _index.Resize(Math.Max(1, _room.ReservedSlots));
                if (++refusals == 2)
                    return false;
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

    // As many slots as there is room for now. Those that have room stay.
    private void Fit()
    {
        long fitting = _room.Fitting();
        _index.Resize((int)Math.Clamp(fitting, 1, _configuredSlots));
        if (fitting >= _configuredSlots)
            _shortage = null;
        else
            NoteShortage();
    }

    private bool TryGetRoom(int slot)
    {
        try
        {
            while (_segments.Count <= slot / _slotsPerSegment)
                _segments.Add(DirectFile.Open(SegmentPath(_segments.Count), SegmentBytesUsed, _options.PreferDirect));

            if (_room.TryReserve(_segments[slot / _slotsPerSegment], slot))
                return true;

            NoteShortage();
        }
        catch (Exception fault) when (DiskFault.Is(fault))
        {
            NoteShortage($"it cannot grow: {DiskFault.CauseOf(fault)}");
        }

        return false;
    }

    // A disk that has no room by now is looked at again later.
    private void NoteShortage(string? cause = null)
    {
        _shortage = cause ?? (_room.Fitting() == 0 ? "its file system has no room for a block" : "its file system has less room than the tier was given");
        _lookAgainAt = _time.GetUtcNow() + _options.GrowthRetry;
    }

    /// <summary>Opens the segments that are whole, and fills the index from the last shutdown's, or from every slot's header.</summary>
    private void Recover()
    {
        OpenSegments();
        if (TryLoadIndex())
            OpenedFromIndex = true;
        else
            ScanHeaders();
        foreach (int slot in _index.InOrder())
            _room.Adopt(slot);

        Fit();

        // What opening a segment takes, the first write should not pay.
        TryGetRoom(0);
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
