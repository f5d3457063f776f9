using System.Collections.Concurrent;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <summary>Keeps blocks in a store of records: it encodes and seals what goes down, checks and decodes what comes up, and counts the outcome of every call.</summary>
/// <remarks>
/// Thread-safe. Nothing that a store throws passes, but <see cref="OperationCanceledException"/> where the caller cancelled: what is slow, full, corrupt,
/// truncated or gone is a miss of its kind in <see cref="Usage"/>, and the caller recomputes. A store on a device may hold up the calling thread.
/// </remarks>
internal sealed partial class BlockTier : IAsyncDisposable
{
    private static readonly TierMiss[] Kinds = Enum.GetValues<TierMiss>();

    private readonly ConcurrentBag<AlignedBuffer> _buffers = [];
    private readonly ConcurrentBag<AlignedBuffer> _headers = [];
    private readonly long[] _misses = new long[Kinds.Length];
    private readonly BlockRecord _format;
    private readonly IRecordStore _store;
    private readonly IMemoryStore? _memory;
    private readonly IPartedStore? _parts;
    private TierUsage? _lastUsage;
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
            throw new ArgumentException($"The store holds records of {store.RecordBytes} bytes; this format's have {format.RecordBytes}.", nameof(store));
        Name = name;
        _format = format;
        _store = store;
        _memory = store as IMemoryStore;

        // Where calls complete at once the block is only lent, so it is never left to a store that may go on with it.
        _parts = format.IsPlain && !store.IsInPlace ? store as IPartedStore : null;

        // Later records get higher numbers across restarts as well.
        _sequence = (time ?? TimeProvider.System).GetUtcNow().UtcTicks;
    }

    /// <summary>The tier's name.</summary>
    public string Name { get; }

    /// <summary>Names what a block loses on its way through the tier: 0 for nothing, else a number that only the same loss has (<see cref="Encodings.BlockCodec.Loss"/>).</summary>
    public int Loss => _format.Codec.Loss;

    /// <summary>What the tier holds, and what became of the calls so far.</summary>
    public TierUsage Usage
    {
        get
        {
            try
            {
                StoreTotals totals = _store.Totals;
                _lastUsage = new TierUsage(Name, _store.CapacityBytes, _store.UsedBytes, _store.RecordBytes, _store.Count)
                {
                    EvictedBlocks = totals.EvictedRecords,
                    ReadBytes = totals.ReadBytes,
                    WrittenBytes = totals.WrittenBytes,
                    IsDegraded = _store.IsDegraded,
                    Trouble = _store.Trouble,
                };
            }
            catch (Exception fault)
            {
                CountMiss(fault, TierMiss.OtherError);
            }

            return (_lastUsage ?? new TierUsage(Name, 0, 0, _format.RecordBytes, 0)) with
            {
                Hits = Interlocked.Read(ref _hits),
                Writes = Interlocked.Read(ref _writes),
                Refusals = Interlocked.Read(ref _refusals),
                Misses = Kinds.ToDictionary(miss => miss, miss => Interlocked.Read(ref _misses[(int)miss])),
            };
        }
    }

    internal BlockRecord Format => _format;

    internal IRecordStore Store => _store;

    /// <summary>How many leading blocks of <paramref name="chain"/> are held; 0 when the tier does not answer.</summary>
    public async ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        (int)(await AskAsync(async store => await store.CountLeadingAsync(chain, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Reads a block and checks it from end to end.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="block">Takes the hot block's bytes; its contents are unspecified on a miss.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What was stored beside it; null on a miss.</returns>
    public ValueTask<BlockAttributes?> ReadAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        CheckLength(block.Length);
        if (_memory is not null)
            return ValueTask.FromResult(ReadWhereItLies(_memory, hash, block.Span));
        return _parts is not null && MayPart(_parts, block)
            ? ReadPartsAsync(_parts, hash, block, cancellationToken)
            : ReadWholeAsync(hash, block, cancellationToken);
    }

    /// <summary>Stores a copy of a hot block.</summary>
    /// <returns>False when the tier did not take it.</returns>
    public ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        CheckLength(block.Length);
        if (_memory is not null)
            return ValueTask.FromResult(WriteWhereItLies(_memory, hash, block.Span, attributes));
        return _parts is not null && MayPart(_parts, block)
            ? WritePartsAsync(_parts, hash, block, attributes, cancellationToken)
            : WriteWholeAsync(hash, block, attributes, cancellationToken);
    }

    /// <summary>Forgets blocks for good. Counts those that were held.</summary>
    public ValueTask<TierAnswer> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        AskAsync(async store => await store.RemoveAsync(hashes, cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Forgets blocks to make room. Cheaper than <see cref="RemoveAsync"/>: after a crash one may be found again.</summary>
    public ValueTask<TierAnswer> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        AskAsync(async store => await store.ForgetAsync(hashes, cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Lets blocks expire at a time, unless a write of the same block renews them. Counts those that were held.</summary>
    public ValueTask<TierAnswer> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        AskAsync(async store => await store.ExpireAsync(hashes, at, cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Bytes that a tenant's blocks take up here; 0 when the tier does not answer.</summary>
    public async ValueTask<long> BytesOfAsync(int tenant, CancellationToken cancellationToken) =>
        _store.RecordBytes * (await AskAsync(store => store.CountAsync(tenant, cancellationToken), cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Forgets blocks of one tenant, in eviction order among themselves, until so many bytes are free.</summary>
    /// <returns>Bytes freed.</returns>
    public async ValueTask<long> EvictAsync(int tenant, long byteCount, CancellationToken cancellationToken)
    {
        int records = (int)Math.Min(int.MaxValue, (byteCount + _store.RecordBytes - 1) / _store.RecordBytes);
        TierAnswer evicted = await AskAsync(async store => await store.EvictAsync(tenant, records, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return _store.RecordBytes * evicted.Count;
    }

    /// <summary>Changes the capacity; shrinking evicts.</summary>
    public ValueTask<TierAnswer> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) =>
        AskAsync(store => store.ResizeAsync(capacityBytes, cancellationToken), cancellationToken);

    /// <summary>Forgets every block.</summary>
    public ValueTask<TierAnswer> ClearAsync(CancellationToken cancellationToken) => AskAsync(
        async store =>
        {
            await store.ClearAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        },
        cancellationToken);

    /// <summary>Hands on what the store would lose at the end of the process.</summary>
    public ValueTask<TierAnswer> FlushAsync(CancellationToken cancellationToken) => AskAsync(
        async store =>
        {
            await store.FlushAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        },
        cancellationToken);

    /// <summary>Disposes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync().ConfigureAwait(false);
        foreach (ConcurrentBag<AlignedBuffer> bag in new[] { _buffers, _headers })
        {
            while (bag.TryTake(out AlignedBuffer? buffer))
                ((IDisposable)buffer).Dispose();
        }
    }

    private async ValueTask<TierAnswer> AskAsync(Func<IRecordStore, ValueTask<long>> call, CancellationToken cancellationToken)
    {
        try
        {
            return new TierAnswer(await call(_store).ConfigureAwait(false), null);
        }
        catch (Exception fault) when (!IsCancelled(fault, cancellationToken))
        {
            return new TierAnswer(0, CountMiss(fault, TierMiss.OtherError));
        }
    }

    private static bool IsCancelled(Exception fault, CancellationToken cancellationToken) =>
        fault is OperationCanceledException && cancellationToken.IsCancellationRequested;

    private TierMiss CountMiss(Exception fault, TierMiss kind)
    {
        TierMiss miss = fault switch
        {
            TimeoutException => TierMiss.Deadline,
            TierUnavailableException => TierMiss.Unavailable,
            _ => kind,
        };
        return CountMiss(miss);
    }

    private TierMiss CountMiss(TierMiss miss)
    {
        Interlocked.Increment(ref _misses[(int)miss]);
        return miss;
    }

    /// <summary>A call of the store was given up on, because it took too long.</summary>
    internal void CountLate() => CountMiss(TierMiss.Deadline);

    // A length that is not the layout's is the caller's mistake, not the store's.
    private void CheckLength(int byteCount)
    {
        if (byteCount != _format.Codec.Shape.BytesPerBlock)
            throw new ArgumentException($"A block has {_format.Codec.Shape.BytesPerBlock} bytes; {byteCount} were given.", nameof(byteCount));
    }
}
