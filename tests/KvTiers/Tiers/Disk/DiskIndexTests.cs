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
