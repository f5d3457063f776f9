using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>An erasure meets blocks that are on their way from one tier to the next, at every point of that way.</summary>
public sealed class TierStackEraseTests : IAsyncDisposable
{
    private static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4);
    private static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));
    private static readonly BlockHash Root = BlockHash.Root("model"u8, Layout, []);
    private static readonly int[] TestPath = [.. Enumerable.Range(0, 16)];

    private readonly RamStore _first = new(Format.RecordBytes, 4L * Format.RecordBytes);
    private readonly GatedStore _second = new(new RamStore(Format.RecordBytes, 8L * Format.RecordBytes));
    private TierStack? _stack;
    private KvCache? _cache;

    [Fact]
    public async Task ABlockErasedJustBeforeItIsHandedOnIsNotHandedOn()
    {
        OpenWithAllInTheFirstTier(immediate: true);
        Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>> handOn = _first.Evicting!;
        IReadOnlyList<TierRemoval>? removals = null;
        _first.Evicting = (hash, attributes, record) =>
        {
            _first.Evicting = handOn;
            removals = _stack!.EraseAsync(Root, TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask().Result;
            handOn(hash, attributes, record);
        };
        await _first.ResizeAsync(3L * Format.RecordBytes, CancellationToken.None);

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
        Task shrinking = Task.Run(async () => await _first.ResizeAsync(3L * Format.RecordBytes, CancellationToken.None));
        _second.AwaitWrite();
        Task erasing = superseded
            ? _stack!.SupersedeAsync(Root, TestPath, keptTokenCount: 0, null, CancellationToken.None).AsTask()
            : _stack!.EraseAsync(Root, TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask();

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
        await _first.ResizeAsync(2L * Format.RecordBytes, CancellationToken.None); // one is being written, one waits
        _second.AwaitWrite();
        Task<IReadOnlyList<TierRemoval>> erasing = _stack!.EraseAsync(Root, TestPath, keptBlocks: 0, null, CancellationToken.None).AsTask();
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
        await using var writer = new TierWriter(new TierOptions { Tier = new BlockTier("tier", Format, _second), WriteConcurrency = 1 }, Layout.BytesPerBlock, static _ => { });
        byte[] block = new byte[Layout.BytesPerBlock];
        var attributes = new BlockAttributes { TokenCount = 4 };
        BlockHash hash = Root.Next([1]);
        Assert.True(writer.Offer(hash, block, attributes, mayWait: false));
        _second.AwaitWrite();
        Task? ended = writer.Forget(hash);
        Assert.True(writer.Offer(hash, block, attributes, mayWait: false));
        _second.Open();
        await ended!.WaitAsync(HangLimit.Time);
        Assert.Equal((1, 0), (_second.Count, writer.Pending));
    }

    public async ValueTask DisposeAsync()
    {
        _cache?.Dispose();
        if (_stack is not null)
        {
            await _stack.DisposeAsync();
        }
    }

    private void OpenWithAllInTheFirstTier(bool immediate)
    {
        _stack = new TierStack(new TierStackOptions
        {
            Tiers =
            [
                new TierOptions { Tier = new BlockTier("first", Format, _first), Immediate = true },
                new TierOptions { Tier = new BlockTier("second", Format, _second), Immediate = immediate, WriteConcurrency = 1 },
            ],
        });
        _cache = new KvCache(Layout, new KvCacheOptions { HotBlocks = 4, Prefault = false }, null, _stack);
        _stack.Attach(_cache);
        using (BlockLease lease = _cache.Acquire(Root, TestPath))
        {
            Assert.True(_cache.TryReserve(lease, TestPath.Length));
            _cache.Append(lease, TestPath);
        }

        Assert.Equal(4, _cache.EvictAhead(4, 4));
        Assert.Equal((4, 0), (_first.Count, _second.Count));
    }
}
