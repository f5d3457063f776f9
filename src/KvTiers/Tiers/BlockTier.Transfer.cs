using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <content>
/// Three ways between a block and its record: to and from where the record lies; in parts, header and block each at its own place; and whole, through a
/// buffer in between.
/// </content>
internal sealed partial class BlockTier
{
    private BlockAttributes? ReadWhereItLies(IMemoryStore store, BlockHash hash, Span<byte> block)
    {
        try
        {
            if (!store.TryPin(hash, out int slot, out ReadOnlySpan<byte> record))
                return Missed(TierMiss.Absent);
            RecordFault fault;
            BlockAttributes attributes;
            try
            {
                fault = _format.TryRead(hash, record, block, out attributes, isOwn: true);
            }
            finally
            {
                store.Unpin(slot);
            }

            if (fault == RecordFault.None)
            {
                Interlocked.Increment(ref _hits);
                return attributes;
            }

            CountMiss(KindOf(fault));
            _ = RemoveAsync(new[] { hash }, CancellationToken.None);
            return null;
        }
        catch (Exception fault)
        {
            CountMiss(fault, TierMiss.ReadError);
            return null;
        }
    }

    private bool WriteWhereItLies(IMemoryStore store, BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes)
    {
        try
        {
            bool taken = store.TryTake(hash, attributes, out int slot, out Span<byte> record);
            if (taken && slot >= 0)
                Fill(store, slot, record, hash, block, attributes);
            Interlocked.Increment(ref taken ? ref _writes : ref _refusals);
            return taken;
        }
        catch (Exception fault)
        {
            CountMiss(fault, TierMiss.WriteError);
            return false;
        }
    }

    private void Fill(IMemoryStore store, int slot, Span<byte> record, BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes)
    {
        try
        {
            _format.Write(hash, attributes, Interlocked.Increment(ref _sequence), block, record);
        }
        catch
        {
            store.Abandon(slot);
            throw;
        }

        store.Commit(slot);
    }

    private async ValueTask<BlockAttributes?> ReadPartsAsync(IPartedStore store, BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        AlignedBuffer header = Rent(_headers, BlockRecord.SectorBytes);
        BlockAttributes? read = await FinishReadAsync(
            hash,
            () => store.TryReadAsync(hash, header.Memory, block, cancellationToken),
            () => (_format.Check(hash, header.GetSpan(), block.Span, out BlockAttributes attributes), attributes),
            cancellationToken).ConfigureAwait(false);
        _headers.Add(header);
        return read;
    }

    private async ValueTask<bool> WritePartsAsync(
        IPartedStore store, BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        AlignedBuffer header = Rent(_headers, BlockRecord.SectorBytes);
        void Seal() => _format.WriteHeader(hash, attributes, Interlocked.Increment(ref _sequence), block.Span, header.GetSpan());
        bool written = await FinishWriteAsync(() => store.TryWriteAsync(hash, header.Memory, block, Seal, attributes, cancellationToken), cancellationToken).ConfigureAwait(false);
        _headers.Add(header);
        return written;
    }

    private async ValueTask<BlockAttributes?> ReadWholeAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        AlignedBuffer buffer = Rent(_buffers, _format.RecordBytes);
        BlockAttributes? read = await FinishReadAsync(
            hash,
            () => _store.TryReadAsync(hash, buffer.Memory, cancellationToken),
            () => (_format.TryRead(hash, buffer.GetSpan(), block.Span, out BlockAttributes attributes), attributes),
            cancellationToken).ConfigureAwait(false);
        _buffers.Add(buffer);
        return read;
    }

    private async ValueTask<bool> WriteWholeAsync(
        BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        AlignedBuffer buffer = Rent(_buffers, _format.RecordBytes);
        _format.Write(hash, attributes, Interlocked.Increment(ref _sequence), block.Span, buffer.GetSpan());
        bool written = await FinishWriteAsync(() => _store.TryWriteAsync(hash, buffer.Memory, attributes, cancellationToken), cancellationToken).ConfigureAwait(false);
        _buffers.Add(buffer);
        return written;
    }

    /// <summary>Reads, checks what was read, and counts the outcome. What is unsound is removed.</summary>
    private async ValueTask<BlockAttributes?> FinishReadAsync(
        BlockHash hash, Func<ValueTask<bool>> read, Func<(RecordFault Fault, BlockAttributes Attributes)> check, CancellationToken cancellationToken)
    {
        try
        {
            if (!await read().ConfigureAwait(false))
                return Missed(TierMiss.Absent);
            (RecordFault fault, BlockAttributes attributes) = check();
            if (fault == RecordFault.None)
            {
                Interlocked.Increment(ref _hits);
                return attributes;
            }

            CountMiss(KindOf(fault));
        }
        catch (Exception fault) when (!IsCancelled(fault, cancellationToken))
        {
            CountMiss(fault, TierMiss.ReadError);
            return null;
        }

        await RemoveAsync(new[] { hash }, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<bool> FinishWriteAsync(Func<ValueTask<bool>> write, CancellationToken cancellationToken)
    {
        try
        {
            bool taken = await write().ConfigureAwait(false);
            Interlocked.Increment(ref taken ? ref _writes : ref _refusals);
            return taken;
        }
        catch (Exception fault) when (!IsCancelled(fault, cancellationToken))
        {
            CountMiss(fault, TierMiss.WriteError);
            return false;
        }
    }

    private BlockAttributes? Missed(TierMiss miss)
    {
        CountMiss(miss);
        return null;
    }

    private static TierMiss KindOf(RecordFault fault) => fault switch
    {
        RecordFault.Truncated => TierMiss.Truncated,
        RecordFault.OtherVersion => TierMiss.OtherVersion,
        RecordFault.OtherEncoding => TierMiss.OtherEncoding,
        RecordFault.OtherLayout => TierMiss.OtherLayout,
        RecordFault.OtherBlock => TierMiss.OtherBlock,
        RecordFault.OtherKey => TierMiss.OtherKey,
        RecordFault.Unauthentic => TierMiss.Unauthentic,
        RecordFault.NotFinite => TierMiss.NotFinite,
        _ => TierMiss.Corrupt,
    };

    /// <summary>Whether a block can move between its own place and the store.</summary>
    private static unsafe bool MayPart(IPartedStore store, ReadOnlyMemory<byte> block)
    {
        if (store.PartAlignment == 1)
            return true;

        // An array may be moved between being looked at and being used.
        if (MemoryMarshal.TryGetArray(block, out _))
            return false;
        using System.Buffers.MemoryHandle pin = block.Pin();
        return (nint)pin.Pointer % store.PartAlignment == 0;
    }

    private static AlignedBuffer Rent(ConcurrentBag<AlignedBuffer> bag, int byteCount) => bag.TryTake(out AlignedBuffer? buffer) ? buffer : new AlignedBuffer(byteCount);
}
