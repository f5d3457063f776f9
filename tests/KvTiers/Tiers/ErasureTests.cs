using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>An erasure meets blocks that are on their way from one tier to the next, at every point of that way.</summary>
public sealed class ErasureTests : IAsyncDisposable
{
    private static readonly BlockHash Root = BlockHash.Root("model"u8, TestTiers.Layout, []);
    private static readonly BlockPath TestPath = new(Root, 4, [.. Enumerable.Range(0, 16)]);

    private readonly RamStore _first = TestTiers.Store(4);
    private readonly GatedStore _second = new(TestTiers.Store(8));
    private TieredCache? _tiers;

    [Fact]
    public async Task ABlockErasedJustBeforeItIsHandedOnIsNotHandedOn()
    {
        OpenWithAllInTheFirstTier(immediate: true);
        Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>> handOn = _first.Evicting!;
        IReadOnlyList<TierRemoval>? removals = null;
        _first.Evicting = (hash, attributes, record) =>
        {
            _first.Evicting = handOn;
            removals = _tiers!.EraseAsync(TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask().Result;
            handOn(hash, attributes, record);
        };
        await _first.ResizeAsync(3L * TestTiers.Format.RecordBytes, CancellationToken.None);

        Assert.Equal([("first", 4), ("second", 0)], removals!.Select(removal => (removal.Tier, removal.Blocks)));
        Assert.Equal((0, 0), (_first.Count, _second.Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABlockErasedWhileItIsHandedOnIsErasedWhereItArrives(bool superseded)
    {
        OpenWithAllInTheFirstTier(immediate: true);
        _second.Close();
        Task shrinking = Task.Run(async () => await _first.ResizeAsync(3L * TestTiers.Format.RecordBytes, CancellationToken.None));
        _second.AwaitWrite();
        Task erasing = superseded
            ? _tiers!.SupersedeAsync(TestPath, keptTokenCount: 0, null, CancellationToken.None).AsTask()
            : _tiers!.EraseAsync(TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask();

        // It may not end before the block has arrived. Without that it has ended by now.
        Assert.False(erasing.IsCompleted);
        _second.Open();
        await Task.WhenAll(shrinking, erasing).WaitAsync(HangLimit.Time);
        Assert.Equal((0, 0), (_first.Count, _second.Count));
    }

    [Fact]
    public async Task ABlockErasedWhileItIsBeingWrittenIsGoneWhenTheErasureEnds()
    {
        OpenWithAllInTheFirstTier(immediate: false);
        _second.Close();
        await _first.ResizeAsync(2L * TestTiers.Format.RecordBytes, CancellationToken.None); // one is being written, one waits
        _second.AwaitWrite();
        Task<IReadOnlyList<TierRemoval>> erasing = _tiers!.EraseAsync(TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask();
        Assert.False(erasing.IsCompleted);
        _second.Open();
        Assert.Equal([("first", 2), ("second", 2)], (await erasing.WaitAsync(HangLimit.Time)).Select(removal => (removal.Tier, removal.Blocks)));
        Assert.Equal((0, 0), (_first.Count, _second.Count));
    }

    [Fact]
    public async Task ABlockThatIsOfferedAgainAfterItWasForgottenIsWritten()
    {
        OpenWithAllInTheFirstTier(immediate: false);
        _second.Close();
        var tier = new BlockTier("tier", TestTiers.Format, _second);
        using var health = new LaneHealth(TimeProvider.System, static () => Task.FromResult(true));
        await using var writer = new WriteQueue(tier, TestTiers.Queued("tier", _second), health, TimeProvider.System, static _ => { });
        byte[] block = new byte[TestTiers.Layout.BytesPerBlock];
        var attributes = new BlockAttributes { TokenCount = 4 };
        BlockHash hash = Root.Next([1]);
        Assert.True(writer.Offer(hash, block, attributes, StallBudget.None));
        _second.AwaitWrite();
        Task? ended = writer.Forget(hash);
        Assert.True(writer.Offer(hash, block, attributes, StallBudget.None));
        _second.Open();
        await ended!.WaitAsync(HangLimit.Time);
        Assert.Equal((1, 0), (_second.Count, writer.Pending));
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync();
    }

    private void OpenWithAllInTheFirstTier(bool immediate)
    {
        _tiers = TestTiers.Open(new TieredCacheOptions
        {
            Hot = TestTiers.Hot(4),
            Tiers = [TierOptions.Over("first", _first), TestTiers.Queued("second", _second) with { InPlace = immediate }],
        });
        using (BlockLease lease = _tiers.Cache.Acquire(Root, TestPath.Tokens))
        {
            Assert.True(lease.TryReserve(TestPath.TokenCount));
            lease.Append(TestPath.Tokens);
        }

        Assert.Equal(4, _tiers.Cache.EvictAhead(4, 4));
        Assert.Equal((4, 0), (_first.Count, _second.Count));
    }
}
