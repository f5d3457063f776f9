using System.Runtime.ExceptionServices;
using KvTiers.Prefix;

namespace KvTiers.Tiers.Disk;

/// <content>
/// Records to and from their slots, each with its slot pinned or taken for as long as the device works on it. The calling thread
/// waits for the device: handing a transfer to another thread and back costs as much as a tenth of it.
/// </content>
internal sealed partial class DiskStore
{
    public int PartAlignment => DirectFile.Alignment;

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Read(hash, (segment, offset) => segment.TryRead(offset, record.Span)));

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> header, Memory<byte> payload, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Read(hash, (segment, offset) => segment.TryRead(offset, header, payload)));

    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Write(hash, attributes, (segment, offset) => segment.Write(offset, record.Span)));

    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, Action seal, BlockAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Write(hash, attributes, (segment, offset) => segment.Write(offset, header, payload, seal)));

    private bool Read(BlockHash hash, Func<DirectFile, long, bool> readAt)
    {
        int slot;
        DirectFile segment;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_index.TryFind(hash, out slot))
                return false;

            _index.Pin(slot);
            segment = _segments[slot / _slotsPerSegment];
        }

        bool read = false, ended = false;
        try
        {
            ended = !readAt(segment, OffsetOf(slot));
            read = !ended;
        }
        catch (Exception fault)
        {
            NoteFault(fault, writing: false);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                // One that was removed meanwhile may be half overwritten.
                bool held = _index.TryFind(hash, out int found) && found == slot;
                read &= held;
                if (read)
                {
                    _readFault = null;
                    _totals = _totals with { ReadBytes = _totals.ReadBytes + RecordBytes };
                }

                if (ended && held)
                    _index.Remove(slot);

                _index.Unpin(slot);
            }
        }

        return ended ? throw new EndOfStreamException($"'{segment.Path}' ends inside a record.") : read;
    }

    private bool Write(BlockHash hash, BlockAttributes attributes, Action<DirectFile, long> writeAt)
    {
        int slot;
        DirectFile? segment;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_index.TryFind(hash, out int held))
            {
                _index.Touch(held, attributes.Expires);
                return true;
            }

            if (!TryTake(hash, attributes, out slot, out segment))
                return false;
        }

        bool written = false;
        try
        {
            writeAt(segment, OffsetOf(slot));
            written = true;
        }
        catch (Exception fault)
        {
            NoteFault(fault, writing: true);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                if (written)
                {
                    _writeFault = null;
                    _totals = _totals with { WrittenBytes = _totals.WrittenBytes + RecordBytes };
                    _index.Commit(slot);
                }
                else
                {
                    _index.Abandon(slot);
                }
            }
        }

        _sync.NoteWritten(segment);
        return true;
    }

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        new(Task.Run(() => Remove(hashes.Span), cancellationToken));

    private int Remove(ReadOnlySpan<BlockHash> hashes)
    {
        int removed = 0;
        ExceptionDispatchInfo? fault = null;
        using var blank = new AlignedBuffer(BlockRecord.SectorBytes);
        foreach (BlockHash hash in hashes)
        {
            foreach (int slot in TakeOut(hash))
            {
                try
                {
                    DirectFile segment;
                    lock (_lock)
                        segment = _segments[slot / _slotsPerSegment];

                    segment.Write(OffsetOf(slot), blank.GetSpan());
                    _sync.NoteWritten(segment);
                    removed++;
                    lock (_lock)
                        _index.Unpin(slot);
                }
                catch (Exception thrown)
                {
                    // Found no more all the same, and its slot is nobody's until its header is gone; the others are removed nevertheless.
                    fault ??= ExceptionDispatchInfo.Capture(thrown);
                    lock (_lock)
                        _standing.Add((hash, slot));
                }
            }
        }

        fault?.Throw();
        return removed;
    }

    // Out of the index, and held until their headers are gone, so that nobody else gets the slots in between: the record, and what an earlier removal left.
    private List<int> TakeOut(BlockHash hash)
    {
        lock (_lock)
        {
            List<int> slots = [.. _standing.Where(left => left.Hash == hash).Select(left => left.Slot)];
            _standing.RemoveAll(left => left.Hash == hash);
            if (_index.TryFind(hash, out int slot))
            {
                _index.Pin(slot);
                _index.Remove(slot);
                slots.Add(slot);
            }

            return slots;
        }
    }
}
