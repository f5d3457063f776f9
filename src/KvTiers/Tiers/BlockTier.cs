using System.Collections.Concurrent;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <summary>A tier over a store of records: encodes and seals what goes down, checks and decodes what comes up.</summary>
public sealed partial class BlockTier : IBlockTier
{
    private readonly ConcurrentBag<AlignedBuffer> _buffers = [];
    private readonly long[] _misses = new long[Enum.GetValues<TierMiss>().Length];
    private readonly BlockRecord _format;
    private readonly IRecordStore _store;
    private long _hits;
    private long _writes;
    private long _refusals;
    private long _sequence;

    /// <summary>Creates the tier; it owns <paramref name="store"/>.</summary>
    /// <exception cref="ArgumentException">The store's records have another length than the format's.</exception>
    public BlockTier(string name, BlockRecord format, IRecordStore store, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(store);
        if (store.RecordBytes != format.RecordBytes)
        {
            throw new ArgumentException($"The store holds records of {store.RecordBytes} bytes; this format's have {format.RecordBytes}.", nameof(store));
        }

        Name = name;
        _format = format;
        _store = store;

        // Later records get higher numbers across restarts as well.
        _sequence = (time ?? TimeProvider.System).GetUtcNow().UtcTicks;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool IsLossless => _format.Codec.IsLossless;

    /// <inheritdoc/>
    public int Loss => _format.Codec.Loss;

    /// <inheritdoc/>
    public TierUsage Usage
    {
        get
        {
            StoreTotals totals = _store.Totals;
            return new TierUsage(
                Name,
                _store.CapacityBytes,
                _store.UsedBytes,
                _store.RecordBytes,
                _store.Count,
                Interlocked.Read(ref _hits),
                Interlocked.Read(ref _writes),
                Interlocked.Read(ref _refusals),
                Enum.GetValues<TierMiss>().ToDictionary(miss => miss, miss => Interlocked.Read(ref _misses[(int)miss])))
            {
                EvictedBlocks = totals.EvictedRecords,
                ReadBytes = totals.ReadBytes,
                WrittenBytes = totals.WrittenBytes,
                IsDegraded = _store.IsDegraded,
            };
        }
    }

    internal BlockRecord Format => _format;

    internal IRecordStore Store => _store;

    /// <inheritdoc/>
    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        GuardAsync(store => store.CountLeadingAsync(chain, cancellationToken), 0, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken) => _store switch
    {
        RamStore ram => ValueTask.FromResult(ReadInPlace(ram, hash, block.Span)),
        IPartedStore parted when MayPart(parted, block) => ReadPartsAsync(parted, hash, block, cancellationToken),
        _ => ReadWholeAsync(hash, block, cancellationToken),
    };

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken) => _store switch
        {
            RamStore ram => ValueTask.FromResult(WriteInPlace(ram, hash, block.Span, attributes)),
            IPartedStore parted when MayPart(parted, block) => WritePartsAsync(parted, hash, block, attributes, cancellationToken),
            _ => WriteWholeAsync(hash, block, attributes, cancellationToken),
        };

    /// <inheritdoc/>
    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        GuardAsync(store => store.RemoveAsync(hashes, cancellationToken), 0, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        GuardAsync(store => store.ForgetAsync(hashes, cancellationToken), 0, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        GuardAsync(store => store.ExpireAsync(hashes, at, cancellationToken), 0, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<long> BytesOfAsync(int tenant, CancellationToken cancellationToken) =>
        _store.RecordBytes * await GuardAsync(store => store.CountAsync(tenant, cancellationToken), 0, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<long> EvictAsync(int tenant, long byteCount, CancellationToken cancellationToken)
    {
        int records = (int)Math.Min(int.MaxValue, (byteCount + _store.RecordBytes - 1) / _store.RecordBytes);
        return (long)_store.RecordBytes * await GuardAsync(store => store.EvictAsync(tenant, records, cancellationToken), 0, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) =>
        GuardAsync(store => store.ResizeAsync(capacityBytes, cancellationToken), _store.CapacityBytes, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ClearAsync(CancellationToken cancellationToken) => await GuardAsync(
        async store =>
        {
            await store.ClearAsync(cancellationToken).ConfigureAwait(false);
            return true;
        },
        false,
        cancellationToken).ConfigureAwait(false);

    /// <summary>Disposes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync().ConfigureAwait(false);
        while (_buffers.TryTake(out AlignedBuffer? buffer))
        {
            ((IDisposable)buffer).Dispose();
        }

        while (_headers.TryTake(out AlignedBuffer? header))
        {
            ((IDisposable)header).Dispose();
        }
    }

    private async ValueTask<bool> ReadWholeAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        AlignedBuffer buffer = Rent();
        try
        {
            return await FinishReadAsync(
                hash,
                () => _store.TryReadAsync(hash, buffer.Memory, cancellationToken),
                () => _format.TryRead(hash, buffer.GetSpan(), block.Span),
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _buffers.Add(buffer);
        }
    }

    private async ValueTask<bool> WriteWholeAsync(
        BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        AlignedBuffer buffer = Rent();
        try
        {
            _format.Write(hash, attributes, Interlocked.Increment(ref _sequence), block.Span, buffer.GetSpan());
            return await FinishWriteAsync(() => _store.TryWriteAsync(hash, buffer.Memory, attributes, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _buffers.Add(buffer);
        }
    }

    /// <summary>Reads, checks what was read, and counts the outcome. What is unsound is removed.</summary>
    private async ValueTask<bool> FinishReadAsync(
        BlockHash hash, Func<ValueTask<bool>> read, Func<RecordFault> check, CancellationToken cancellationToken)
    {
        try
        {
            if (!await read().ConfigureAwait(false))
            {
                Interlocked.Increment(ref _misses[(int)TierMiss.Absent]);
                return false;
            }

            RecordFault recordFault = check();
            if (recordFault == RecordFault.None)
            {
                Interlocked.Increment(ref _hits);
                return true;
            }

            Interlocked.Increment(ref _misses[(int)KindOf(recordFault)]);
            await RemoveAsync(new[] { hash }, cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (Exception fault) when (!IsCancelled(fault, cancellationToken))
        {
            CountMiss(fault, TierMiss.ReadError);
            return false;
        }
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

    private async ValueTask<T> GuardAsync<T>(Func<IRecordStore, ValueTask<T>> call, T otherwise, CancellationToken cancellationToken)
    {
        try
        {
            return await call(_store).ConfigureAwait(false);
        }
        catch (Exception fault) when (!IsCancelled(fault, cancellationToken))
        {
            CountMiss(fault, TierMiss.OtherError);
            return otherwise;
        }
    }

    // Whatever else a store throws is its fault, and counted.
    private static bool IsCancelled(Exception exception, CancellationToken cancellationToken) =>
        exception is OperationCanceledException && cancellationToken.IsCancellationRequested;

    private static TierMiss KindOf(RecordFault fault) => fault switch
    {
        RecordFault.Truncated => TierMiss.Truncated,
        RecordFault.OtherVersion => TierMiss.OtherVersion,
        RecordFault.OtherEncoding => TierMiss.OtherEncoding,
        RecordFault.OtherLayout => TierMiss.OtherLayout,
        RecordFault.OtherBlock => TierMiss.OtherBlock,
        _ => TierMiss.Corrupt,
    };

    private void CountMiss(Exception fault, TierMiss kind) =>
        Interlocked.Increment(ref _misses[(int)(fault switch
        {
            TimeoutException => TierMiss.Deadline,
            TierUnavailableException => TierMiss.Unavailable,
            _ => kind,
        })]);

    private AlignedBuffer Rent() => _buffers.TryTake(out AlignedBuffer? buffer) ? buffer : new AlignedBuffer(_format.RecordBytes);
}
