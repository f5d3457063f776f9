using System.Globalization;

namespace KvTiers.Tiers.Disk;

public sealed partial class DiskStore
{
    /// <summary>Maps the segments that are whole, and fills the index from the last shutdown's, or from every slot's header.</summary>
    private void Recover()
    {
        OpenSegments();
        if (TryLoadIndex())
        {
            OpenedFromIndex = true;
        }
        else
        {
            ScanHeaders();
        }
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
            {
                File.Delete(path);
            }
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
            {
                found.Add((slot, header));
            }
        }

        // Of two records of one block the later one counts.
        _index.Adopt(found.OrderByDescending(item => item.Header.Sequence).DistinctBy(item => item.Header.Hash).Reverse()
            .Select(item => (item.Slot, item.Header.Hash, item.Header.Attributes)));
    }
}
