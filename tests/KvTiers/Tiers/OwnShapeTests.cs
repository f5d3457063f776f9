using KvTiers.Blocks;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>Blocks whose form only their engine knows: here a latent vector of 36 halves a token, and no keys or values.</summary>
public sealed class OwnShapeTests : IDisposable
{
    private const int Tokens = 4;
    private static readonly BlockShape Shape = new(Tokens * 36 * 2, Tokens, "latent, 36 halves"u8);
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-shape-").FullName;

    [Fact]
    public async Task BlocksGoThroughAllTiersAndComeBackAsTheyWere()
    {
        var disk = new DiskStoreOptions { Folder = _folder, CapacityBytes = 1 << 20, SegmentBytes = 1 << 20 };
        var options = new TieredCacheOptions { Hot = TestTiers.Hot(4), Tiers = [TierOptions.Ram(4096), TierOptions.Disk(disk)], Promotion = PromotionPolicy.Always };
        int[] tokens = [.. Enumerable.Range(1, 3 * Tokens)];
        byte[][] written = [.. Enumerable.Range(0, 3).Select(TestBytes)];
        await using (TieredCache cache = TestTiers.Open(options, shape: Shape))
        {
            using (BlockLease lease = cache.Cache.Acquire(cache.RootFor("model"u8), tokens))
            {
                Assert.True(lease.TryReserve(tokens.Length));
                for (int block = 0; block < 3; block++)
                    written[block].CopyTo(cache.Cache.Pool.Bytes(lease.Table.Slots[block]));
                lease.Append(tokens);
            }

            await cache.FlushAsync(CancellationToken.None);
        }

        await using TieredCache reopened = TestTiers.Open(options, shape: Shape);
        using BlockLease found = await reopened.AcquireAsync(reopened.RootFor("model"u8), tokens);
        Assert.Equal(tokens.Length, found.TokenCount);
        Assert.Equal(written, found.Table.Slots.ToArray().Select(slot => reopened.Cache.Pool.Bytes(slot).ToArray()));
    }

    [Fact]
    public async Task AnotherFormOfTheSameLengthHasAnotherRoot()
    {
        await using TieredCache one = TestTiers.Open(new TieredCacheOptions { Hot = TestTiers.Hot(1) }, shape: Shape);
        await using TieredCache other = TestTiers.Open(new TieredCacheOptions { Hot = TestTiers.Hot(1) }, shape: new BlockShape(Tokens * 36 * 2, Tokens, "another form"u8));
        Assert.NotEqual(one.RootFor("model"u8), other.RootFor("model"u8));
    }

    [Theory]
    [InlineData(BlockEncoding.BFloat16)]
    [InlineData(BlockEncoding.Int8)]
    public void AnEncodingOfElementsIsRefused(BlockEncoding encoding)
    {
        var options = new TieredCacheOptions { Hot = TestTiers.Hot(1), Tiers = [TierOptions.Ram(4096) with { Encoding = encoding }] };
        Assert.Throws<ArgumentException>(() => TestTiers.Open(options, shape: Shape));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] TestBytes(int block)
    {
        byte[] bytes = new byte[Shape.BytesPerBlock];
        new Random(block).NextBytes(bytes);
        return bytes;
    }
}
