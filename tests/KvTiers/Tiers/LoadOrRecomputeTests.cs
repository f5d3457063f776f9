using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>Whether loading is chosen again once it is the better, by a device and an engine of known speed, in virtual time.</summary>
public sealed class LoadOrRecomputeTests : IAsyncDisposable
{
    private const int PathBlocks = 32;

    private static readonly BlockHash Root = BlockHash.Root("model"u8, TestTiers.Layout, []);

    private readonly VirtualTime _time = new();
    private TieredCache? _tiers;

    /// <summary>
    /// Computing takes 6 ms, and loading 2 by the device as it is. While it was slow, computing was right. Measured aside one block at a time, its latency
    /// counted as bandwidth: 32 blocks seemed to take 14 ms, and the device was never read again.
    /// </summary>
    [Fact]
    public async Task ADeviceThatWasSlowIsLoadedFromAgainWhenItIsWell()
    {
        (PacedStore device, int[] tokens) = await StoredAsync();
        await AskAsync(tokens);
        Assert.Equal(PathBlocks, await AskAsync(tokens));
        device.Latency = TimeSpan.FromMilliseconds(80);
        for (int round = 0; round < 4; round++)
            await AskAsync(tokens);
        Assert.Equal(0, await AskAsync(tokens));
        device.Latency = TimeSpan.FromMilliseconds(0.4);
        int[] loaded = new int[12];
        for (int round = 0; round < loaded.Length; round++)
            loaded[round] = await AskAsync(tokens);
        Assert.Equal(PathBlocks, loaded[^1]);
        Assert.True(loaded.Count(blocks => blocks == PathBlocks) >= 6, string.Join(", ", loaded));
    }

    /// <summary>The first load of a fresh server, whose code is compiled and whose files are opened meanwhile, says little. With one measurement a second all of a busy second was computed.</summary>
    [Fact]
    public async Task ADeviceWhoseFirstLoadWasSlowIsLoadedFromWithinTheSecond()
    {
        (PacedStore device, int[] tokens) = await StoredAsync();
        device.Latency = TimeSpan.FromMilliseconds(80);
        await AskAsync(tokens);
        Assert.Equal(0, await AskAsync(tokens));
        device.Latency = TimeSpan.FromMilliseconds(0.4);
        int[] loaded = new int[45];
        for (int round = 0; round < loaded.Length; round++)
            loaded[round] = await AskAsync(tokens, TimeSpan.FromMilliseconds(20));
        Assert.Equal(PathBlocks, loaded[^1]);
    }

    /// <summary>A store used to be closed under a read that was made aside.</summary>
    [Fact]
    public async Task WhatIsReadAsideHasEndedWhenTheStoreIsClosed()
    {
        var device = new CountedStore(TestTiers.Store(256));
        TierOptions far = TestTiers.Queued("far", device) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false };
        TieredCache tiers = TestTiers.Open(new TieredCacheOptions { Hot = TestTiers.Hot(64), Tiers = [far] }, _time);
        int[] tokens = [.. Enumerable.Range(0, PathBlocks * 4)];
        using (BlockLease lease = tiers.Cache.Acquire(Root, tokens))
        {
            Assert.True(lease.TryReserve(tokens.Length));
            lease.Append(tokens);
        }

        await tiers.DrainAsync(CancellationToken.None);
        tiers.Cache.Clear();
        tiers.RateOf("far").AddLoad(PathBlocks * TestTiers.Layout.BytesPerBlock, TimeSpan.FromSeconds(10));
        device.Close();
        using (BlockLease lease = tiers.Cache.Acquire(Root, tokens))
            Assert.Equal(0, (await tiers.PromoteAsync(lease, tokens, CancellationToken.None)).HeldBlocks);
        await device.FirstRead;
        Task closing = tiers.DisposeAsync().AsTask();
        await Task.WhenAny(closing, Task.Delay(100));
        Assert.False(closing.IsCompleted);
        device.Open();
        await closing.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync();
    }

    // A path on a device that gives it in 2 ms, for an engine that computes it in 6.
    private async Task<(PacedStore Device, int[] Tokens)> StoredAsync()
    {
        var device = new PacedStore(TestTiers.Store(256), _time);
        _tiers = TestTiers.Open(
            new TieredCacheOptions
            {
                Hot = TestTiers.Hot(64),
                Tiers = [TestTiers.Queued("disk", device) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false, ReadConcurrency = PathBlocks }],
            },
            _time);
        for (int i = 0; i < 300; i++)
            _tiers.NotePrefill(PathBlocks * 4, TimeSpan.FromMilliseconds(6));
        int[] tokens = [.. Enumerable.Range(0, PathBlocks * 4)];
        Compute(tokens);
        await _tiers.DrainAsync(CancellationToken.None);
        return (device, tokens);
    }

    private void Compute(int[] tokens)
    {
        using BlockLease lease = _tiers!.Cache.Acquire(Root, tokens);
        Assert.True(lease.TryReserve(tokens.Length - lease.TokenCount));
        lease.Append(tokens.AsSpan(lease.TokenCount));
    }

    /// <summary>A request after a pause, a second as a rule, none of it hot; what is measured aside for it has ended when it returns.</summary>
    private async Task<int> AskAsync(int[] tokens, TimeSpan? pause = null)
    {
        _tiers!.Cache.Clear();
        _time.Advance(pause ?? TimeSpan.FromSeconds(1));
        int loaded;
        using (BlockLease lease = _tiers.Cache.Acquire(Root, tokens))
            loaded = (await _tiers.PromoteAsync(lease, tokens, CancellationToken.None)).LoadedBlocks;
        await _tiers.MeasuredAsync();
        return loaded;
    }
}
