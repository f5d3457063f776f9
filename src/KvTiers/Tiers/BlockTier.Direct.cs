using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <content>
/// The ways without a record in between: memory is encoded to and decoded from where the record lies, in one pass with its
/// checksum; and a block that is stored as it is moves between its own place and the device.
/// </content>
public sealed partial class BlockTier
{
    private readonly ConcurrentBag<AlignedBuffer> _headers = [];

    private bool ReadInPlace(RamStore ram, BlockHash hash, Span<byte> block)
    {
        if (!ram.TryPin(hash, out int slot, out ReadOnlySpan<byte> record))
        {
            Interlocked.Increment(ref _misses[(int)TierMiss.Absent]);
            return false;
        }

        RecordFault fault;
        try
        {
            fault = _format.TryRead(hash, record, block);
        }
        finally
        {
            ram.Unpin(slot);
        }

        if (fault == RecordFault.None)
        {
            Interlocked.Increment(ref _hits);
            return true;
        }

        Interlocked.Increment(ref _misses[(int)KindOf(fault)]);
        ram.Forget(hash);
        return false;
    }

    private bool WriteInPlace(RamStore ram, BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes)
    {
        if (!ram.TryTake(hash, attributes, out int slot, out Span<byte> record))
        {
            Interlocked.Increment(ref _refusals);
            return false;
        }

        if (slot >= 0)
        {
            try
            {
                _format.Write(hash, attributes, Interlocked.Increment(ref _sequence), block, record);
            }
            catch
            {
                ram.Abandon(slot);
                throw;
            }

            ram.Commit(slot);
        }

        Interlocked.Increment(ref _writes);
        return true;
    }

    private async ValueTask<bool> ReadPartsAsync(IPartedStore store, BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        AlignedBuffer header = RentHeader();
        try
        {
            return await FinishReadAsync(
                hash,
                () => store.TryReadAsync(hash, header.Memory, block, cancellationToken),
                () => _format.Check(hash, header.GetSpan(), block.Span),
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _headers.Add(header);
        }
    }

    private async ValueTask<bool> WritePartsAsync(
        IPartedStore store, BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        AlignedBuffer header = RentHeader();
        try
        {
            void Seal() => _format.WriteHeader(hash, attributes, Interlocked.Increment(ref _sequence), block.Span, header.GetSpan());
            return await FinishWriteAsync(() => store.TryWriteAsync(hash, header.Memory, block, Seal, attributes, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _headers.Add(header);
        }
    }

    /// <summary>Whether a block can move between its own place and the store.</summary>
    private unsafe bool MayPart(IPartedStore store, ReadOnlyMemory<byte> block)
    {
        if (!_format.IsPlain || block.Length != _format.Codec.Layout.BytesPerBlock)
        {
            return false;
        }

        if (store.PartAlignment == 1)
        {
            return true;
        }

        // An array may be moved between being looked at and being used.
        if (MemoryMarshal.TryGetArray(block, out _))
        {
            return false;
        }

        using System.Buffers.MemoryHandle pin = block.Pin();
        return (nint)pin.Pointer % store.PartAlignment == 0;
    }

    private AlignedBuffer RentHeader() => _headers.TryTake(out AlignedBuffer? header) ? header : new AlignedBuffer(BlockRecord.SectorBytes);
}
