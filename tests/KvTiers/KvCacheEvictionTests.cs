using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

public sealed class KvCacheEvictionTests
{
    private readonly GatedRecipient _recipient = new();

    [Fact]
    public async Task OthersWorkOnWhileAnEvictedBlockIsHandedOver()
    {
        using KvCache cache = FakeSequence.CreateCache(3, recipient: _recipient);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        Task<bool> reserving = Task.Run(() => cache.TryReserve(lease, 8), TestContext.Current.CancellationToken);
        await _recipient.Entered;

        CacheSnapshot snapshot = cache.Snapshot();
        Assert.Equal((1, 0, 0, 1, 1), (snapshot.FreeBlocks, snapshot.PrivateBlocks, snapshot.HeldBlocks, snapshot.EvictableBlocks, snapshot.PendingFreeBlocks));
        Assert.Equal(4, cache.Peek(FakeSequence.Root, [1, 1, 1, 1, 2, 2, 2, 2]).HotTokenCount);
        CacheIntegrity.Check(cache);
        using BlockLease found = cache.Acquire(FakeSequence.Root, [1, 1, 1, 1]);
        Assert.False(cache.TryReserve(found, 1)); // the free block is promised
        Assert.Empty(lease.Table.Slots.ToArray());

        _recipient.Open();
        Assert.True(await reserving);
        Assert.Equal([2, 1], lease.Table.Slots.ToArray());
        Assert.Equal(0, cache.Snapshot().PendingFreeBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public async Task WhatIsEvictedAheadOfNeedIsWaitedForRatherThanRefused()
    {
        using KvCache cache = FakeSequence.CreateCache(2, recipient: _recipient);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        Task<int> ahead = Task.Run(() => cache.EvictAhead(freeBlocks: 2, atMost: 2), TestContext.Current.CancellationToken);
        await _recipient.Entered;
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        Assert.False(cache.TryReserve(lease, 12));
        Task<bool> reserving = Task.Run(() => cache.TryReserve(lease, 8), TestContext.Current.CancellationToken);
        _recipient.Open();
        Assert.True(await reserving);
        Assert.Equal(2, await ahead);
        Assert.Equal([1, 0], lease.Table.Slots.ToArray());
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public async Task MemoryOutlivesTheCacheUntilTheLastBlockIsHandedOver()
    {
        KvCache cache = FakeSequence.CreateCache(1, recipient: _recipient);
        cache.Run(1, 2, 3, 4).Dispose();
        byte[] bytes = cache.Pool.Bytes(0).ToArray();
        Task<int> ahead = Task.Run(() => cache.EvictAhead(1, 1), TestContext.Current.CancellationToken);
        await _recipient.Entered;
        Task evictions = cache.EvictionsAsync();
        cache.Dispose();
        Assert.False(evictions.IsCompleted);
        _recipient.Open();
        await evictions;
        Assert.Equal(1, await ahead);
        Assert.Equal(bytes, _recipient.Seen[0].Bytes);
        Assert.Equal(0, cache.EvictAhead(1, 1));
    }

    [Fact]
    public void ARecipientThatFailsAtAnEvictionIsCountedAndVetoesNothing()
    {
        using KvCache cache = FakeSequence.CreateCache(2, recipient: _recipient);
        _recipient.Open();
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        _recipient.Fault = new IOException("broken");
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        Assert.True(cache.TryReserve(lease, 8));
        CacheIntegrity.Check(cache);
        Assert.Equal((2, 1), (cache.Snapshot().PrivateBlocks, cache.Snapshot().Totals.RecipientFaults));
    }

    /// <summary>An exception out of the recipient used to leave the lease with a block in the tree that its table did not count as shared.</summary>
    [Fact]
    public void ARecipientThatFailsAtASealLeavesTheLeaseWhole()
    {
        using KvCache cache = FakeSequence.CreateCache(4, recipient: _recipient);
        _recipient.SealFault = new InvalidOperationException("broken");
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        cache.Compute(lease, 1, 1, 1, 1, 2, 2, 2, 2);
        CacheIntegrity.Check(cache);
        Assert.Equal((8, 2), (lease.TokenCount, lease.SharedBlockCount));
        Assert.Equal(1, cache.Snapshot().Totals.RecipientFaults);
        Assert.Equal(8, cache.Peek(FakeSequence.Root, [1, 1, 1, 1, 2, 2, 2, 2]).HotTokenCount);
    }

    [Fact]
    public void EvictingToReserveAllocatesNothing()
    {
        _recipient.Open();
        _recipient.Records = false;
        using KvCache cache = FakeSequence.CreateCache(64, recipient: _recipient);
        cache.Run([.. Enumerable.Range(0, 256)]).Dispose();
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        Assert.True(cache.TryReserve(lease, 128));
        cache.Truncate(lease, 0);
        cache.Run([.. Enumerable.Range(300, 128)]).Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(cache.TryReserve(lease, 16));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(0, allocated);
    }

    private sealed class GatedRecipient : IBlockRecipient
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<(BlockHash Hash, byte[] Bytes)> Seen { get; } = [];

        public Task Entered => _entered.Task;

        public Exception? Fault { get; set; }

        public Exception? SealFault { get; set; }

        public bool Records { get; set; } = true;

        public void Open() => _gate.Set();

        public void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
        {
            if (SealFault is not { } fault) return;
            SealFault = null;
            throw fault;
        }

        public void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget)
        {
            _entered.TrySetResult();
            _gate.Wait();
            if (Fault is { } fault)
            {
                Fault = null;
                throw fault;
            }

            if (Records) Seen.Add((hash, bytes.ToArray()));
        }
    }
}
