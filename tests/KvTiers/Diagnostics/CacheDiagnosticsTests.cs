using System.Diagnostics.Metrics;
using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests.Diagnostics;

public sealed class CacheDiagnosticsTests
{
    [Fact]
    public void EveryBlockIsInOneStateOfTheSnapshot()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.Acquire(FakeSequence.Root, []);
        cache.Compute(lease, 1, 2, 3, 4, 5);
        cache.Run(9, 9, 9, 9).Dispose();
        cache.Supersede(FakeSequence.Root, [9, 9, 9, 9], 0);
        CacheSnapshot snapshot = cache.Snapshot();
        Assert.Equal((8, 5, 1, 1, 1), (snapshot.CapacityBlocks, snapshot.FreeBlocks, snapshot.PrivateBlocks, snapshot.HeldBlocks, snapshot.EvictableBlocks));
        Assert.Equal((1, 1, 2, 1), (snapshot.SupersededBlocks, snapshot.Leases, snapshot.Nodes, snapshot.Roots));
        Assert.Equal((2, 4), (snapshot.Totals.SealedBlocks, snapshot.Totals.MissedTokens));
    }

    [Fact]
    public void TheMeterReportsWhatTheSnapshotDoes()
    {
        using KvCache cache = FakeSequence.CreateCache(2);
        cache.Run(1, 2, 3, 4, 5).Dispose();
        cache.Run(1, 2, 3, 4, 6).Dispose();
        cache.Acquire(FakeSequence.Root, [1, 2, 3, 4, 6]).Dispose();

        Dictionary<string, long> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, cache.Meter)) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            seen.Add(instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}")), value));
        listener.Start();
        listener.RecordObservableInstruments();

        CacheTotals totals = cache.Snapshot().Totals;
        Assert.Equal(9, seen["kvtiers.cache.hit_tokens"]);
        Assert.Equal(6, seen["kvtiers.cache.missed_tokens"]);
        Assert.Equal(totals.SealedBlocks, seen["kvtiers.cache.sealed_blocks"]);
        Assert.Equal(1, seen["kvtiers.cache.evicted_blocks cause=least_recently_used"]);
        Assert.Equal(0, seen["kvtiers.cache.evicted_blocks cause=superseded"]);
        Assert.Equal(2, seen["kvtiers.cache.blocks state=evictable"]);
        Assert.Equal(0, seen["kvtiers.cache.blocks state=free"]);
        Assert.Equal(2, seen["kvtiers.cache.capacity_blocks"]);
        Assert.Equal(128, seen["kvtiers.cache.capacity_bytes"]);
    }

    [Fact]
    public void TheDumpListsNodesDepthFirstUpToItsBound()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.Run(1, 1, 1, 1, 2, 2, 2, 2);
        cache.Run(1, 1, 1, 1, 3, 3).Dispose();
        cache.Supersede(FakeSequence.Root, [1, 1, 1, 1, 3, 3], 0);

        RadixDump dump = cache.DumpRadix(10);
        Assert.True(dump.IsComplete);
        Assert.Equal([(0, 0, 0), (1, 1, 4), (2, 1, 4), (2, 1, 2)], dump.Nodes.Select(node => (node.Depth, node.Blocks, node.Tokens)));
        Assert.Equal([1, 1, 1, 0], dump.Nodes.Select(node => node.RefCount));
        Assert.Equal([false, false, false, true], dump.Nodes.Select(node => node.Superseded));
        Assert.Equal([3, 3], dump.Nodes[3].FirstTokens);
        Assert.Equal(FakeSequence.Root.Next([1, 1, 1, 1]), dump.Nodes[1].Hash);
        Assert.Null(dump.Nodes[2].Unused);
        Assert.NotNull(dump.Nodes[3].Unused);

        RadixDump bounded = cache.DumpRadix(2);
        Assert.False(bounded.IsComplete);
        Assert.Equal(2, bounded.Nodes.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.DumpRadix(0));
    }

    [Fact]
    public void IntegrityFindsABlockThatTheCacheDidNotTake()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        Assert.True(cache.Pool.TryAllocate(out _));
        CacheIntegrityException error = Assert.Throws<CacheIntegrityException>(() => CacheIntegrity.Check(cache));
        Assert.Equal("Slot 0 is Used and belongs to nobody.", error.Message);
    }

    [Fact]
    public void IntegrityFindsABlockThatWasFreedTwice()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease lease = cache.Run(1, 2, 3, 4);
        cache.Pool.Free(0);
        CacheIntegrityException error = Assert.Throws<CacheIntegrityException>(() => CacheIntegrity.Check(cache));
        Assert.Equal("Slot 0 belongs to the tree and to the free queue.", error.Message);
    }

    [Fact]
    public void IntegrityFindsAWrongReferenceCount()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease lease = cache.Run(1, 2, 3, 4);
        lease.Node.RefCount++;
        CacheIntegrityException error = Assert.Throws<CacheIntegrityException>(() => CacheIntegrity.Check(cache));
        Assert.Contains("reference count", error.Message, StringComparison.Ordinal);
        lease.Node.RefCount--;
        CacheIntegrity.Check(cache);
    }
}
