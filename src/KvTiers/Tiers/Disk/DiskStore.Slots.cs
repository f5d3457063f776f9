using System.Diagnostics.CodeAnalysis;
using KvTiers.Prefix;

namespace KvTiers.Tiers.Disk;

/// <content>Slots and the segments they lie in: reserved as they are needed, given back when the store shrinks.</content>
public sealed partial class DiskStore
{
    /// <summary>Takes a slot in a segment that exists, evicting as needed.</summary>
    private bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, [NotNullWhen(true)] out DirectFile? segment)
    {
        segment = null;
        if (_index.Capacity != _configuredSlots && _time.GetUtcNow() >= _growthBlockedUntil)
        {
            _index.Resize(_configuredSlots);
        }

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
                {
                    return false;
                }

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

    /// <summary>Gives the disk's room of retired slots back to the file system, in runs, where it takes that.</summary>
    private void GiveBackRetired()
    {
        for (int segment = 0; segment < _segments.Count; segment++)
        {
            int first = segment * _slotsPerSegment;
            int end = Math.Min(first + _slotsPerSegment, _index.SlotCount);
            for (int slot = first; slot < end; slot++)
            {
                int start = slot;
                while (slot < end && _index.IsRetired(slot))
                {
                    slot++;
                }

                if (slot > start)
                {
                    _segments[segment].GiveBack(OffsetOf(start), (long)(slot - start) * RecordBytes);
                }
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
            {
                _segments.Add(DirectFile.Open(SegmentPath(_segments.Count), SegmentBytesUsed, _options.PreferDirect));
            }

            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _growthBlockedUntil = _time.GetUtcNow() + _options.GrowthRetry;
            return false;
        }
    }
}
