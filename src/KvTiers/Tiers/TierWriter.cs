using System.Collections.Concurrent;
using System.Threading.Channels;
using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <summary>Writes blocks to a slow tier in the background: a bounded queue of copies, which can be read from while they wait.</summary>
internal sealed class TierWriter : IAsyncDisposable
{
    private readonly Channel<PendingWrite> _queue;
    private readonly ConcurrentDictionary<BlockHash, PendingWrite> _pending = [];
    private readonly ConcurrentBag<AlignedBuffer> _buffers = [];
    private readonly SemaphoreSlim _room;
    private readonly TierOptions _options;
    private readonly int _blockBytes;
    private readonly Task[] _workers;
    private readonly Action<int> _written;
    private readonly TimeProvider _time;
    private long _dropped;
    private bool _isFull;

    public TierWriter(TierOptions options, int blockBytes, TimeProvider time, Action<int> written)
    {
        _time = time;
        _written = written;
        _options = options;
        _blockBytes = blockBytes;
        _room = new SemaphoreSlim(options.WriteQueueBlocks);
        _queue = Channel.CreateUnbounded<PendingWrite>();
        _workers = [.. Enumerable.Range(0, options.WriteConcurrency).Select(_ => Task.Run(WriteAsync))];
    }

    /// <summary>Blocks given up because the queue stayed full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Whether blocks are given up at once, because one has waited in vain and the queue is not half empty yet.</summary>
    public bool IsFull => Volatile.Read(ref _isFull);

    /// <summary>Blocks that wait to be written or are being written.</summary>
    public int Pending => _pending.Count;

    /// <summary>Takes a copy of a block. Waits for room; gives the block up when there is none for too long.</summary>
    public bool Offer(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, bool mayWait)
    {
        if (_pending.TryGetValue(hash, out PendingWrite? waiting) && waiting.TryRenew())
        {
            return true;
        }

        if (!TryEnter(mayWait))
        {
            Interlocked.Increment(ref _dropped);
            return false;
        }

        // Aligned, so that a disk takes it from here.
        AlignedBuffer copy = _buffers.TryTake(out AlignedBuffer? buffer) ? buffer : new AlignedBuffer(_blockBytes);
        block.CopyTo(copy.GetSpan());
        var write = new PendingWrite(hash, attributes, copy);
        if (!_pending.TryAdd(hash, write) || !_queue.Writer.TryWrite(write))
        {
            _pending.TryRemove(new KeyValuePair<BlockHash, PendingWrite>(hash, write));
            Return(write);
        }

        return true;
    }

    private bool TryEnter(bool mayWait)
    {
        if (IsFull)
        {
            return false;
        }

        if (_room.Wait(TimeSpan.Zero))
        {
            return true;
        }

        if (!mayWait)
        {
            return false;
        }

        using var patience = new CancellationTokenSource(_options.WritePatience, _time);
        try
        {
            _room.Wait(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref _isFull, true);
            return false;
        }
    }

    public bool Holds(BlockHash hash) => _pending.ContainsKey(hash);

    /// <summary>Copies a block that waits; false when it does not, or no longer.</summary>
    public bool TryRead(BlockHash hash, Span<byte> block)
    {
        if (!_pending.TryGetValue(hash, out PendingWrite? write))
        {
            return false;
        }

        lock (write)
        {
            if (write.Block is not { } bytes)
            {
                return false;
            }

            bytes.GetSpan().CopyTo(block);
            return true;
        }
    }

    /// <summary>Drops a block that waits; one that is being written is removed when it is. A new <see cref="Offer"/> takes that back.</summary>
    /// <returns>Ends when nothing is written any more; null when the block does not wait.</returns>
    public Task? Forget(BlockHash hash) => _pending.TryGetValue(hash, out PendingWrite? write) ? write.TryCancel() : null;

    /// <summary>Drops every block that waits, as <see cref="Forget"/> does.</summary>
    public void ForgetAll()
    {
        foreach (PendingWrite write in _pending.Values)
        {
            write.TryCancel();
        }
    }

    /// <summary>Returns when everything offered so far is written or given up.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        foreach (PendingWrite write in _pending.Values.ToArray())
        {
            await write.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(false);
        _room.Dispose();
        while (_buffers.TryTake(out AlignedBuffer? buffer))
        {
            ((IDisposable)buffer).Dispose();
        }
    }

    private async Task WriteAsync()
    {
        await foreach (PendingWrite write in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await FinishAsync(write).ConfigureAwait(false);
                _written(write.Attributes.Tenant);
            }
            catch (Exception)
            {
                // Whatever it was costs this block; the others wait to be written.
                Interlocked.Increment(ref _dropped);
                _pending.TryRemove(new KeyValuePair<BlockHash, PendingWrite>(write.Hash, write));
            }

            Return(write);
            write.Done.TrySetResult();
        }
    }

    private async Task FinishAsync(PendingWrite write)
    {
        bool written = false;
        while (!TryFinish(write, written))
        {
            if (written)
            {
                await _options.Tier.RemoveAsync(new[] { write.Hash }, CancellationToken.None).ConfigureAwait(false);
            }
            else if (!await IsHeldAsync(write.Hash).ConfigureAwait(false))
            {
                await _options.Tier.TryWriteAsync(write.Hash, write.Block!.Memory, write.Attributes, CancellationToken.None).ConfigureAwait(false);
            }

            written = !written;
        }
    }

    // Whether the tier is as it is to be. Then the block waits no more, and whoever offers it again begins anew.
    private bool TryFinish(PendingWrite write, bool written)
    {
        lock (write)
        {
            if (write.Cancelled == written)
            {
                return false;
            }

            write.Finished = true;
            return _pending.TryRemove(new KeyValuePair<BlockHash, PendingWrite>(write.Hash, write));
        }
    }

    // A block that was evicted and has come back is found for the first time anew.
    private async ValueTask<bool> IsHeldAsync(BlockHash hash) =>
        _options.WritePolicy == WritePolicy.OnSecondUse && await _options.Tier.CountLeadingAsync(new[] { hash }, CancellationToken.None).ConfigureAwait(false) == 1;

    private void Return(PendingWrite write)
    {
        lock (write)
        {
            _buffers.Add(write.Block!);
            write.Block = null;
        }

        if (_room.Release() * 2 >= _options.WriteQueueBlocks)
        {
            Volatile.Write(ref _isFull, false);
        }
    }

    private sealed class PendingWrite(BlockHash hash, BlockAttributes attributes, AlignedBuffer block)
    {
        public BlockHash Hash { get; } = hash;

        public BlockAttributes Attributes { get; } = attributes;

        public AlignedBuffer? Block { get; set; } = block;

        // These two under the lock of the object.
        public bool Cancelled { get; private set; }

        public bool Finished { get; set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool TryRenew()
        {
            lock (this)
            {
                Cancelled &= Finished;
                return !Finished;
            }
        }

        public Task? TryCancel()
        {
            lock (this)
            {
                Cancelled |= !Finished;
                return Finished ? null : Done.Task;
            }
        }
    }
}
