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
    /// Computing takes 6 ms, and loading 2 by the device as it is. While it was slow, computing was right. Measured one block at a time, its latency counted
    /// as bandwidth: 32 blocks seemed to take 14 ms, and the device was never read again.
    /// </summary>
    [Fact]
    public async Task ADeviceThatWasSlowIsLoadedFromAgainWhenItIsWell()
    {
        (PacedStore device, int[] tokens) = await StoredAsync();
        await AskAsync(tokens);
        Assert.Equal(PathBlocks, await AskAsync(tokens));
        device.Latency = TimeSpan.FromMilliseconds(80);
        for (int round = 0; round < 12; round++)
            await AskAsync(tokens, TimeSpan.Zero);
        Assert.Equal(0, await AskAsync(tokens, TimeSpan.Zero));
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
        device.Latency = TimeSpan.FromMilliseconds(0.4);
        int[] loaded = new int[45];
        for (int round = 0; round < loaded.Length; round++)
            loaded[round] = await AskAsync(tokens, TimeSpan.FromMilliseconds(20));
        Assert.Equal(PathBlocks, loaded[^1]);
    }

    /// <summary>A device that takes twice as long as computing is tried, so that a better day is seen, but of the time trials take a fiftieth.</summary>
    [Fact]
    public async Task TrialsTakeASmallShareOfTheTime()
    {
        (PacedStore device, int[] tokens) = await StoredAsync();
        device.Latency = TimeSpan.FromMilliseconds(10.4);
        int trials = 0;
        for (int round = 0; round < 1_000; round++)
            trials += await AskAsync(tokens, TimeSpan.FromMilliseconds(20)) > 0 ? 1 : 0;

        // 20 s and more, of which a trial takes 12 ms; five come first.
        Assert.InRange(trials, 20, 45);
    }

    /// <summary>Asking would take longer than computing, so nobody waits for it, but now and then, so that the tier has its chance again.</summary>
    [Fact]
    public async Task ATierThatIsTooFarIsAskedNowAndThen()
    {
        (_, int[] tokens) = await StoredAsync();
        async Task<int> AskFarAsync(TimeSpan pause)
        {
            for (int i = 0; i < 20; i++)
                _tiers!.RateOf("disk").AddLoad(PathBlocks * TestTiers.Layout.BytesPerBlock, TimeSpan.FromSeconds(10));
            return await AskAsync(tokens, pause);
        }

        Assert.Equal(PathBlocks, await AskFarAsync(TimeSpan.FromHours(1)));
        for (int round = 0; round < 5; round++)
            Assert.Equal(0, await AskFarAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(PathBlocks, _tiers!.Promotions.FoundBlocks);
        Assert.Equal(PathBlocks, await AskFarAsync(TimeSpan.FromMinutes(5)));
    }

    /// <summary>A trial is one load, and not as many as the prompt has blocks: a device that became slow is not waited for eight times over.</summary>
    [Fact]
    public async Task ATrialLoadsNoMoreThanIsReadAtOnce()
    {
        (PacedStore device, int[] tokens) = await StoredAsync(readConcurrency: 4);
        device.PerBlock = TimeSpan.FromMilliseconds(5);
        for (int i = 0; i < 40; i++)
        {
            foreach (int blocks in (int[])[4, PathBlocks])
                _tiers!.RateOf("disk").AddLoad(blocks * TestTiers.Layout.BytesPerBlock, device.Latency + blocks * device.PerBlock);
        }

        for (int round = 0; round < 10; round++)
            Assert.Equal(4, await AskAsync(tokens, TimeSpan.FromMinutes(1)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync();
    }

    // A path on a device that gives it in 2 ms, for an engine that computes it in 6.
    private async Task<(PacedStore Device, int[] Tokens)> StoredAsync(int readConcurrency = PathBlocks)
    {
        var device = new PacedStore(TestTiers.Store(256), _time);
        _tiers = TestTiers.Open(
            new TieredCacheOptions
            {
                Hot = TestTiers.Hot(64),
                Tiers = [TestTiers.Queued("disk", device) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false, ReadConcurrency = readConcurrency }],
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

    /// <summary>A request after a pause, a second as a rule, none of it hot.</summary>
    private async Task<int> AskAsync(int[] tokens, TimeSpan? pause = null)
    {
        _tiers!.Cache.Clear();
        _time.Advance(pause ?? TimeSpan.FromSeconds(1));
        using BlockLease lease = _tiers.Cache.Acquire(Root, tokens);
        return (await _tiers.PromoteAsync(lease, tokens, CancellationToken.None)).LoadedBlocks;
    }
}
