using System.Collections.Concurrent;
using System.Threading.Channels;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <summary>Writes blocks to a slow tier in the background: a bounded queue of copies, which can be read from while they wait.</summary>
/// <remarks>
/// A write that takes longer than it may is left to end by itself: it keeps its copy and its place, and the next block is written beside it. When too
/// many are left so, what waits is given up, until one of them ends.
/// </remarks>
internal sealed class WriteQueue : IAsyncDisposable
{
    private const long DefaultBytes = 32 << 20;

    private readonly Channel<PendingWrite> _queue = Channel.CreateUnbounded<PendingWrite>();
    private readonly ConcurrentDictionary<BlockHash, PendingWrite> _pending = [];
    private readonly ConcurrentBag<AlignedBuffer> _buffers = [];
    private readonly SemaphoreSlim _room;
    private readonly TierOptions _options;
    private readonly BlockTier _tier;
    private readonly LaneHealth _health;
    private readonly TimeProvider _time;
    private readonly Action<int> _written;
    private readonly int _blockBytes;
    private readonly int _capacity;
    private readonly Task[] _workers;
    private long _dropped;
    private int _late;

    public WriteQueue(BlockTier tier, TierOptions options, LaneHealth health, TimeProvider time, Action<int> written)
    {
        _tier = tier;
        _options = options;
        _health = health;
        _time = time;
        _written = written;
        _blockBytes = tier.Format.Codec.Shape.BytesPerBlock;
        _capacity = options.WriteQueueBlocks ?? (int)Math.Clamp(DefaultBytes / _blockBytes, 64, 1024);
        _room = new SemaphoreSlim(_capacity);
        _workers = [.. Enumerable.Range(0, options.WriteConcurrency).Select(_ => Task.Run(WorkAsync))];
    }

    /// <summary>Blocks given up: declined, or never written.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Blocks that wait to be written or are being written.</summary>
    public int Pending => _pending.Count;

    /// <summary>Whether so many writes hang that no other is begun.</summary>
    public bool IsStuck => Volatile.Read(ref _late) >= 2 * _options.WriteConcurrency;

    /// <summary>Takes a copy of a block. Waits for room within the budget; gives the block up when there is none.</summary>
    public bool Offer(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, StallBudget budget)
    {
        if (_pending.TryGetValue(hash, out PendingWrite? waiting) && waiting.TryRenew())
            return true;
        bool isWell = _health.MayOffer;
        if (!isWell || !budget.TryEnter(_room))
        {
            Interlocked.Increment(ref _dropped);
            if (isWell && budget.MayWait)
                NoteFull();
            return false;
        }

        // Aligned, so that a disk takes it from here.
        AlignedBuffer copy = _buffers.TryTake(out AlignedBuffer? buffer) ? buffer : new AlignedBuffer(_blockBytes);
        block.CopyTo(copy.GetSpan());
        var write = new PendingWrite(hash, attributes, copy);
        if (!_pending.TryAdd(hash, write) || !_queue.Writer.TryWrite(write))
            End(write);
        return true;
    }

    /// <summary>Ends when there is room for another block.</summary>
    public async Task RoomAsync(CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        _room.Release();
    }

    /// <summary>Places for blocks that are free now.</summary>
    public int Room => _room.CurrentCount;

    public bool Holds(BlockHash hash) => _pending.ContainsKey(hash);

    /// <summary>Copies a block that waits; null when it does not, or no longer.</summary>
    public BlockAttributes? TryRead(BlockHash hash, Span<byte> block)
    {
        if (!_pending.TryGetValue(hash, out PendingWrite? write))
            return null;
        lock (write)
        {
            if (write.Block is not { } bytes)
                return null;
            bytes.GetSpan().CopyTo(block);
            return write.Attributes;
        }
    }

    /// <summary>Drops a block that waits; one that is being written is removed when it is. A new <see cref="Offer"/> takes that back.</summary>
    /// <returns>Ends when nothing is written any more, with what the removal failed by; null when the block does not wait.</returns>
    public Task<TierMiss?>? Forget(BlockHash hash) => _pending.TryGetValue(hash, out PendingWrite? write) ? write.TryCancel() : null;

    /// <summary>Drops every block that waits, as <see cref="Forget"/> does.</summary>
    public void ForgetAll()
    {
        foreach (PendingWrite write in _pending.Values)
            write.TryCancel();
    }

    /// <summary>Returns when everything offered so far is written, given up, or left to end by itself.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        foreach (PendingWrite write in _pending.Values.ToArray())
            await write.Left.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what waits, and ends; a write that hangs is not waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(false);
        while (_buffers.TryTake(out AlignedBuffer? buffer))
            ((IDisposable)buffer).Dispose();
    }

    private async Task WorkAsync()
    {
        await foreach (PendingWrite write in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (IsStuck)
            {
                Interlocked.Increment(ref _dropped);
                End(write);
                continue;
            }

            // Elsewhere, as a store may hold up its thread.
            Task finishing = Task.Run(() => FinishAsync(write));
            try
            {
                await finishing.WaitAsync(_options.Deadline, _time).ConfigureAwait(false);
            }
            catch (TimeoutException) when (write.TryLeave())
            {
                Interlocked.Increment(ref _late);
                _health.Late();
                write.Left.TrySetResult();
            }
            catch (TimeoutException)
            {
                // It has just ended.
            }
        }
    }

    // Whatever is thrown here ends this block alone.
    private async Task FinishAsync(PendingWrite write)
    {
        try
        {
            bool written = false;
            while (!TryFinish(write, written))
            {
                if (written)
                    write.Fault = (await _tier.RemoveAsync(new[] { write.Hash }, CancellationToken.None).ConfigureAwait(false)).Fault;
                else if (!await IsHeldAsync(write.Hash).ConfigureAwait(false))
                    await _tier.TryWriteAsync(write.Hash, write.Block!.Memory, write.Attributes, CancellationToken.None).ConfigureAwait(false);
                written = !written;
            }

            _written(write.Attributes.Tenant);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _dropped);
        }
        finally
        {
            End(write);
        }
    }

    // Whether the tier is as it is to be. Then the block waits no more, and whoever offers it again begins anew.
    private bool TryFinish(PendingWrite write, bool written)
    {
        lock (write)
        {
            if (write.IsCancelled == written)
                return false;
            write.IsFinished = true;
            return _pending.TryRemove(new KeyValuePair<BlockHash, PendingWrite>(write.Hash, write));
        }
    }

    // A block that was evicted and has come back is found for the first time anew.
    private async ValueTask<bool> IsHeldAsync(BlockHash hash) =>
        _options.WritePolicy == WritePolicy.OnSecondUse && await _tier.CountLeadingAsync(new[] { hash }, CancellationToken.None).ConfigureAwait(false) == 1;

    private void NoteFull()
    {
        _health.Full();

        // The last of what waited may have ended just before.
        if (_room.CurrentCount * 2 >= _capacity)
            _health.HasRoom();
    }

    // The block waits no more, however that came.
    private void End(PendingWrite write)
    {
        bool wasLeft;
        lock (write)
        {
            write.IsFinished = true;
            wasLeft = write.IsLeft;
            _buffers.Add(write.Block!);
            write.Block = null;
        }

        _pending.TryRemove(new KeyValuePair<BlockHash, PendingWrite>(write.Hash, write));
        if (wasLeft)
            Interlocked.Decrement(ref _late);
        if ((_room.Release() + 1) * 2 >= _capacity)
            _health.HasRoom();
        write.Left.TrySetResult();
        write.Done.TrySetResult(write.Fault);
    }

    private sealed class PendingWrite(BlockHash hash, BlockAttributes attributes, AlignedBuffer block)
    {
        public BlockHash Hash { get; } = hash;

        public BlockAttributes Attributes { get; } = attributes;

        public AlignedBuffer? Block { get; set; } = block;

        // These three under the lock of the object.
        public bool IsCancelled { get; private set; }

        public bool IsFinished { get; set; }

        public bool IsLeft { get; private set; }

        /// <summary>Why its removal failed.</summary>
        public TierMiss? Fault { get; set; }

        /// <summary>Ends when nobody writes it any more.</summary>
        public TaskCompletionSource<TierMiss?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when the queue is not concerned with it any more.</summary>
        public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool TryRenew()
        {
            lock (this)
            {
                IsCancelled &= IsFinished;
                return !IsFinished;
            }
        }

        public Task<TierMiss?>? TryCancel()
        {
            lock (this)
            {
                IsCancelled |= !IsFinished;
                return IsFinished ? null : Done.Task;
            }
        }

        public bool TryLeave()
        {
            lock (this)
                return IsLeft = !IsFinished;
        }
    }
}
