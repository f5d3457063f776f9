using System.Buffers.Binary;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tests.Tiers.Disk;

/// <summary>The index file, byte by byte.</summary>
public sealed class DiskIndexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-index-").FullName;
    private readonly ManualTime _time = new();

    private string IndexPath => Path.Combine(_folder, "index");

    // [format 1, recordBytes 1,024, slotsPerSegment 1,024, records], each record [slot, hash, tokenCount, priority, tenant, expires].
    private static byte[] Whole =>
    [
        0x94, 0x01, 0xCD, 0x04, 0x00, 0xCD, 0x04, 0x00, 0x92,
        0x96, 0x00, 0xC4, 0x20, .. Hash(1), 0x10, 0x00, 0x00, 0xC0,
        0x96, 0x01, 0xC4, 0x20, .. Hash(2), 0x10, 0x05, 0x00, 0xCF, 0x00, 0x00, 0x01, 0x9B, 0x76, 0xDB, 0x92, 0x60, // 2026-01-01 00:01
    ];

    [Fact]
    public async Task TheIndexHasTheBytesItAlwaysHad()
    {
        await CloseWithTwoBlocksAsync();
        Assert.Equal(Sealed(Whole), await File.ReadAllBytesAsync(IndexPath));
    }

    [Fact]
    public async Task AnIndexThatIsWholeIsTaken()
    {
        await CloseWithTwoBlocksAsync();
        await AssertOpensAsync(Whole, fromIndex: true);
    }

    public static TheoryData<string, byte[]> Damaged
    {
        get
        {
            byte[] first = [0x96, 0x00, 0xC4, 0x20, .. Hash(1), 0x10, 0x00, 0x00, 0xC0], head = [0x94, 0x01, 0xCD, 0x04, 0x00, 0xCD, 0x04, 0x00];
            byte[] With(params byte[] second) => [.. head, 0x92, .. first, .. second];
            return new()
            {
                { "something follows", [.. Whole, 0xC0] },
                { "it is cut", Whole[..^1] },
                { "nothing is there", [] },
                { "a slot twice", With([0x96, 0x00, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0]) },
                { "a block twice", With([0x96, 0x01, 0xC4, 0x20, .. Hash(1), 0x10, 0x00, 0x00, 0xC0]) },
                { "a part is missing", With([0x95, 0x01, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00]) },
                { "a part too many", With([0x97, 0x01, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0, 0xC0]) },
                { "an entry is missing", [.. head, 0x92, .. first] },
                { "an entry too many", [.. head, 0x90, .. first] },
                { "the records are missing", [0x93, 0x01, 0xCD, 0x04, 0x00, 0xCD, 0x04, 0x00] },
                { "a hash is text", With([0x96, 0x01, 0xD9, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0]) },
                { "a hash is short", With([0x96, 0x01, 0xC4, 0x1F, .. Hash(2)[1..], 0x10, 0x00, 0x00, 0xC0]) },
                { "a hash is nil", With(0x96, 0x01, 0xC0, 0x10, 0x00, 0x00, 0xC0) },
                { "a slot is text", With([0x96, 0xA1, 0x31, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0]) },
                { "a slot is no integer", With([0x96, 0xCA, 0x3F, 0x80, 0x00, 0x00, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0]) },
                { "a slot is too large", With([0x96, 0xCE, 0xFF, 0xFF, 0xFF, 0xFF, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xC0]) },
                { "a count is nil", With([0x96, 0x01, 0xC4, 0x20, .. Hash(2), 0xC0, 0x00, 0x00, 0xC0]) },
                { "an end is a map", With([0x96, 0x01, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0x80]) },
                { "an end is beyond time", With([0x96, 0x01, 0xC4, 0x20, .. Hash(2), 0x10, 0x00, 0x00, 0xCF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) },
                { "an extension", With([0x96, 0x01, 0xD8, 0x01, .. Hash(2)[..16], 0x10, 0x00, 0x00, 0xC0]) },
                { "4 GiB of records", [.. head, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF] },
                { "2 GiB of records", [.. head, 0xDD, 0x7F, 0xFF, 0xFF, 0xFF, .. first] },
                { "4 GiB of hash", With(0x96, 0x01, 0xC6, 0xFF, 0xFF, 0xFF, 0xFF, 0x10) },
                { "nested too deep", [.. Enumerable.Repeat((byte)0x94, 1_000_000)] },
                { "another format", [0x94, 0x02, .. Whole[2..]] },
                { "other segments", [.. Whole[..5], 0xCD, 0x04, 0x01, .. Whole[8..]] },
            };
        }
    }

    /// <summary>The checksum is right each time: what is wrong was written so. Then every slot's header is read, and both blocks are there still.</summary>
    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task AnIndexThatIsDamagedIsNotTaken(string what, byte[] index)
    {
        Assert.NotEmpty(what);
        await CloseWithTwoBlocksAsync();
        await AssertOpensAsync(index, fromIndex: false);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Hash(int number)
    {
        byte[] bytes = new byte[BlockHash.ByteCount];
        TestBlocks.Hash(number).CopyTo(bytes);
        return bytes;
    }

    private static byte[] Sealed(byte[] index)
    {
        byte[] checksum = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, Crc32C.Compute(index));
        return [.. index, .. checksum];
    }

    private async Task AssertOpensAsync(byte[] index, bool fromIndex)
    {
        await File.WriteAllBytesAsync(IndexPath, Sealed(index));
        await using DiskStore store = Open();
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, _time);
        Assert.Equal(fromIndex, store.OpenedFromIndex);
        await tier.AssertHoldsAsync([1, 2], of: [1, 2, 3]);
    }

    private async Task CloseWithTwoBlocksAsync()
    {
        await using var tier = new BlockTier("disk", TestBlocks.Format, Open(), _time);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2, priority: 5, expires: _time.GetUtcNow() + TimeSpan.FromMinutes(1));
    }

    private DiskStore Open() => DiskStore.Open(
        TestBlocks.Format,
        new DiskStoreOptions { Folder = _folder, CapacityBytes = 4L * TestBlocks.Format.RecordBytes, SegmentBytes = 1024L * TestBlocks.Format.RecordBytes },
        _time);
}
