using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers.Disk;

public sealed class DiskStoreTests : BlockTierTests
{
    private const int SlotsPerSegment = 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-disk-").FullName;
    private int _stores;

    [Fact]
    public async Task ACleanRestartFindsEverythingInItsOrderFromTheIndex()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            for (int i = 1; i <= 4; i++)
                await tier.WriteAsync(i);

            await tier.ReadAsync(1);
        }

        await AssertReopened(fromIndex: true, [1, 3, 4, 5]);
    }

    [Fact]
    public async Task AfterAKillTheHeadersTellWhatIsThere()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            for (int i = 1; i <= 4; i++)
                await tier.WriteAsync(i);
        }

        File.Delete(Path.Combine(_folder, "a", "index"));
        await AssertReopened(fromIndex: false, [2, 3, 4, 5]);
    }

    /// <summary>What a tenant's budget takes is followed by no other record, so nothing would overwrite it.</summary>
    [Fact]
    public async Task WhatATenantsBudgetTookIsNotFoundByReadingHeaders()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            for (int i = 1; i <= 3; i++)
                await tier.WriteAsync(i);

            Assert.Equal(2L * RecordBytes, await tier.EvictAsync(TestBlocks.Attributes().Tenant, 2L * RecordBytes, CancellationToken.None));
            Assert.Equal(2, tier.Usage.EvictedBlocks);
        }

        File.Delete(Path.Combine(_folder, "a", "index"));
        await using BlockTier reopened = OpenIn("a", 4);
        await reopened.AssertHoldsAsync([3], of: [1, 2, 3]);
    }

    [Fact]
    public async Task ADamagedIndexIsPassedOver()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            for (int i = 1; i <= 4; i++)
                await tier.WriteAsync(i);
        }

        string index = Path.Combine(_folder, "a", "index");
        byte[] bytes = File.ReadAllBytes(index);
        bytes[^7] ^= 1;
        File.WriteAllBytes(index, bytes);
        await AssertReopened(fromIndex: false, [2, 3, 4, 5]);
    }

    [Fact]
    public async Task TheIndexIsTrustedOnceOnly()
    {
        await using (BlockTier tier = OpenIn("a", 4))
            await tier.WriteAsync(1);

        await using DiskStore store = OpenStore("a", 4);
        Assert.True(store.OpenedFromIndex);
        Assert.False(File.Exists(Path.Combine(_folder, "a", "index")));
    }

    /// <summary>Cut or garbled anywhere, a segment gives back right blocks or misses.</summary>
    [Fact]
    public async Task TornRecordsAreMisses()
    {
        await using (BlockTier tier = OpenIn("a", 8))
        {
            for (int i = 1; i <= 8; i++)
                await tier.WriteAsync(i);
        }

        File.Delete(Path.Combine(_folder, "a", "index"));
        string segment = Directory.GetFiles(Path.Combine(_folder, "a"), "segment-*").Single();
        using (FileStream file = File.OpenWrite(segment))
        {
            file.Position = (2 * RecordBytes) + 100; // in the third record's header
            file.WriteByte(0xEE);
            file.Position = (4 * RecordBytes) + BlockRecord.SectorBytes + 5; // in the fifth record's payload
            file.WriteByte(0xEE);
        }

        await using BlockTier reopened = OpenIn("a", 8);
        var hits = new List<int>();
        for (int i = 1; i <= 8; i++)
        {
            if (await reopened.ReadAsync(i))
                hits.Add(i);
        }

        Assert.Equal([1, 2, 4, 6, 7, 8], hits);
        Assert.Equal((1, 1), (reopened.Usage.Misses[TierMiss.Absent], reopened.Usage.Misses[TierMiss.Corrupt]));
        Assert.False(await reopened.ReadAsync(5)); // dropped at the first sight
        Assert.Equal(2, reopened.Usage.Misses[TierMiss.Absent]);
    }

    /// <summary>A block in native memory on a sector's boundary is read and written where it is, and checked all the same.</summary>
    [Fact]
    public async Task ABlockThatMovesWithoutACopyIsCheckedFromEndToEnd()
    {
        using var block = new AlignedBuffer(TestBlocks.Layout.BytesPerBlock);
        await using (BlockTier tier = OpenIn("a", 8))
        {
            for (int i = 1; i <= 3; i++)
            {
                TestBlocks.Bytes(i).CopyTo(block.GetSpan());
                Assert.True(await tier.TryWriteAsync(TestBlocks.Hash(i), block.Memory, TestBlocks.Attributes(), CancellationToken.None));
            }
        }

        using (FileStream file = File.OpenWrite(Directory.GetFiles(Path.Combine(_folder, "a"), "segment-*").Single()))
        {
            file.Position = 100;
            file.WriteByte(0xEE);
            file.Position = (2 * RecordBytes) + BlockRecord.SectorBytes + 5;
            file.WriteByte(0xEE);
        }

        await using BlockTier reopened = OpenIn("a", 8);
        Assert.False(await reopened.TryReadAsync(TestBlocks.Hash(1), block.Memory, CancellationToken.None));
        Assert.True(await reopened.TryReadAsync(TestBlocks.Hash(2), block.Memory, CancellationToken.None));
        Assert.Equal(TestBlocks.Bytes(2), block.GetSpan().ToArray());
        Assert.False(await reopened.TryReadAsync(TestBlocks.Hash(3), block.Memory, CancellationToken.None));
        Assert.Equal(2, reopened.Usage.Misses[TierMiss.Corrupt]);
        await reopened.AssertHoldsAsync([2], of: [1, 2, 3]);
    }

    /// <summary>A long block is on its way to the disk while its checksum is computed: the record is the same as one written at once.</summary>
    [Fact]
    public async Task ALongBlockWrittenWhileItIsCheckedIsTheSameRecord()
    {
        var layout = new BlockLayout(Layers: 8, KvHeads: 8, HeadDim: 512);
        var format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        BlockHash hash = BlockHash.Root("model"u8, layout, []).Next([1]);
        using var block = new AlignedBuffer(layout.BytesPerBlock);
        TestBlocks.Fill(block.GetSpan(), seed: 4);
        byte[] expected = block.GetSpan().ToArray();
        var options = new DiskStoreOptions { Folder = Path.Combine(_folder, "long"), CapacityBytes = 2L * format.RecordBytes };
        await using (var tier = new BlockTier("disk", format, DiskStore.Open(format, options)))
            Assert.True(await tier.TryWriteAsync(hash, block.Memory, TestBlocks.Attributes(), CancellationToken.None));

        await using var store = DiskStore.Open(format, options);
        using var record = new AlignedBuffer(format.RecordBytes);
        Assert.True(await store.TryReadAsync(hash, record.Memory, CancellationToken.None));
        var read = new byte[layout.BytesPerBlock];
        Assert.Equal(RecordFault.None, format.TryRead(hash, record.GetSpan(), read));
        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task ATruncatedSegmentIsMadeAnew()
    {
        await using (BlockTier tier = OpenIn("a", 4))
            await tier.WriteAsync(1);

        string segment = Directory.GetFiles(Path.Combine(_folder, "a"), "segment-*").Single();
        using (FileStream file = File.OpenWrite(segment))
            file.SetLength(1000);

        await using BlockTier reopened = OpenIn("a", 4);
        Assert.False(await reopened.ReadAsync(1));
        Assert.True(await reopened.WriteAsync(2));
        Assert.True(await reopened.ReadAsync(2));
    }

    [Fact]
    public async Task ARemovedBlockStaysRemovedEvenWithoutTheIndex()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            await tier.WriteAsync(1);
            await tier.WriteAsync(2);
            await tier.RemoveAsync(new[] { TestBlocks.Hash(1) }, CancellationToken.None);
        }

        File.Delete(Path.Combine(_folder, "a", "index"));
        await using BlockTier reopened = OpenIn("a", 4);
        await reopened.AssertHoldsAsync([2], of: [1, 2]);
    }

    /// <summary>The segment is closed under the store, as a device that is gone. The second sync used to report success, for nothing was left to be forced.</summary>
    [Fact]
    public async Task ASyncThatFailedIsNotForgotten()
    {
        await using DiskStore store = OpenStore("a", 4);
        var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        await tier.WriteAsync(1);
        CloseSegments(store);
        await Assert.ThrowsAnyAsync<Exception>(() => store.SyncAsync(CancellationToken.None));
        await Assert.ThrowsAnyAsync<Exception>(() => store.SyncAsync(CancellationToken.None));
    }

    /// <summary>A header that could not be blanked used to be out of the index and found again at the next start, by nobody who would remove it.</summary>
    [Fact]
    public async Task ARemovalThatTheDeviceFailedIsAFaultAndIsDoneAtTheNextStart()
    {
        await using (DiskStore store = OpenStore("a", 4))
        {
            var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
            await tier.WriteAsync(1);
            await tier.WriteAsync(2);
            CloseSegments(store);
            for (int attempt = 0; attempt < 2; attempt++)
                Assert.Equal(new TierAnswer(0, TierMiss.OtherError), await tier.RemoveAsync(new[] { TestBlocks.Hash(1) }, CancellationToken.None));

            await tier.AssertHoldsAsync([2], of: [1, 2]);
        }

        await using BlockTier reopened = OpenIn("a", 4);
        Assert.Equal(new TierAnswer(1, null), await reopened.RemoveAsync(new[] { TestBlocks.Hash(1) }, CancellationToken.None));
        await reopened.AssertHoldsAsync([2], of: [1, 2]);
    }

    /// <summary>The device works with the file's number. Closed in between, that could be another file's.</summary>
    [Fact]
    public void AFileIsNotClosedWhileTheDeviceWritesToIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && TransferQueue.OfThisThread() is not null, "the kernel has no queue");
        TransferQueue queue = TransferQueue.OfThisThread()!;
        Directory.CreateDirectory(_folder);
        using var block = new AlignedBuffer(4096);
        Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(Path.Combine(_folder, "file"), FileMode.Create, FileAccess.ReadWrite);
        string number = $"/proc/self/fd/{file.DangerousGetHandle()}";
        unsafe
        {
            using System.Buffers.MemoryHandle pin = block.Memory.Pin();
            queue.StartWrite(file, pin.Pointer, 4096, 0);
            file.Dispose();
            Assert.True(File.Exists(number));
            Assert.True(queue.Finish());
        }

        Assert.False(File.Exists(number));
    }

    [Fact]
    public async Task TwoProcessesNeverShareAFolder()
    {
        await using DiskStore first = OpenStore("a", 4);
        var error = Assert.Throws<IOException>(() => OpenStore("a", 4));
        Assert.Contains(Path.Combine(_folder, "a"), error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each segment beyond the first is refused, as on a full disk: the store goes on with the room it has.</summary>
    [Fact]
    public async Task AFullDiskBoundsTheStoreAndLaterItGrowsAgain()
    {
        string obstacle = Path.Combine(_folder, "a", "segment-00001.kvb");
        await using DiskStore store = OpenStore("a", 2 * SlotsPerSegment);
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        Directory.CreateDirectory(obstacle);
        for (int i = 1; i <= SlotsPerSegment + 2; i++)
            Assert.True(await tier.WriteAsync(i));

        Assert.Equal(SlotsPerSegment, tier.Usage.Blocks);
        await tier.AssertHoldsAsync([3], of: [1, 2, 3]);
        Directory.Delete(obstacle);
        await tier.WriteAsync(2000);
        Assert.Equal(SlotsPerSegment, tier.Usage.Blocks);
        Time.Advance(TimeSpan.FromMinutes(1));
        await tier.WriteAsync(2001);
        await tier.WriteAsync(2002);
        Assert.Equal(SlotsPerSegment + 2, tier.Usage.Blocks);
        Assert.True(await tier.ReadAsync(2001));
    }

    /// <summary>The file system has room for 3,000 blocks, a part of which the store leaves to others, and is asked for ten times as many.</summary>
    [Fact]
    public async Task ASmallFileSystemBoundsTheStoreFromTheStart()
    {
        long free = 3000L * RecordBytes;
        DiskStoreOptions options = OptionsOf("a", 30_000) with { KeepFreeBytes = 500L * RecordBytes, Space = _ => new DiskSpace(free, 4 * free) };
        await using DiskStore store = DiskStore.Open(TestBlocks.Format, options, Time);
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        Assert.Equal(2500L * RecordBytes, store.CapacityBytes);
        Assert.Contains("less room", store.Trouble);
        Assert.Equal(store.Trouble, tier.Usage.Trouble);

        free -= SlotsPerSegment * (long)RecordBytes;
        for (int i = 1; i <= SlotsPerSegment; i++)
            Assert.True(await tier.WriteAsync(i));
        Assert.Equal(SlotsPerSegment, tier.Usage.Blocks);

        // Others took the rest meanwhile: it makes do with what it has, and evicts.
        free = 0;
        for (int i = 2000; i <= 2010; i++)
            Assert.True(await tier.WriteAsync(i));
        Assert.Equal(SlotsPerSegment, tier.Usage.Blocks);
        Assert.Equal(11, tier.Usage.EvictedBlocks);
        Assert.NotNull(store.Trouble);

        // There is room again: nobody has to write for that to be seen.
        free = 40_000L * RecordBytes;
        Time.Advance(TimeSpan.FromSeconds(31));
        Assert.NotNull(store.Trouble);
        await UntilAsync(() => store.Trouble is null);
        Assert.Equal(30_000L * RecordBytes, store.CapacityBytes);
    }

    [Fact]
    public async Task AStoreWithoutRoomForABlockTakesNoneAndSaysSo()
    {
        long free = 0;
        DiskStoreOptions options = OptionsOf("a", 100) with { Space = _ => new DiskSpace(free, 1 << 30) };
        await using DiskStore store = DiskStore.Open(TestBlocks.Format, options, Time);
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        Assert.False(await tier.WriteAsync(1));
        Assert.Equal((0, 1), (tier.Usage.Blocks, tier.Usage.Refusals));
        Assert.Contains("no room for a block", store.Trouble);

        free = 1 << 30;
        Time.Advance(TimeSpan.FromSeconds(31));
        Assert.True(await tier.WriteAsync(1));
        Assert.Null(store.Trouble);
        Assert.Equal(100L * RecordBytes, store.CapacityBytes);
    }

    /// <summary>What it held before needs no more room: it is found, and overwritten in place.</summary>
    [Fact]
    public async Task WhatWasHeldIsKeptOnAFullDisk()
    {
        await using (BlockTier tier = OpenIn("a", 4))
        {
            for (int i = 1; i <= 4; i++)
                await tier.WriteAsync(i);
        }

        DiskStoreOptions options = OptionsOf("a", 4) with { Space = _ => new DiskSpace(0, 1 << 30) };
        await using var reopened = new BlockTier("disk", TestBlocks.Format, DiskStore.Open(TestBlocks.Format, options, Time), Time);
        await reopened.AssertHoldsAsync([1, 2, 3, 4], of: [1, 2, 3, 4]);
        Assert.True(await reopened.WriteAsync(5));
        await reopened.AssertHoldsAsync([2, 3, 4, 5], of: [1, 2, 3, 4, 5]);
        Assert.Null(reopened.Usage.Trouble);
    }

    /// <summary>The file was made so that the device takes no write: the tier says so until it takes one, with nobody writing.</summary>
    [Fact]
    public async Task ADiskThatTakesNothingIsSaidUntilItDoes()
    {
        await using DiskStore store = OpenStore("a", 4);
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        await tier.WriteAsync(1);
        Assert.Null(tier.Usage.Trouble);

        List<DirectFile> segments = SegmentsOf(store);
        DirectFile writable = segments[0];
        segments[0] = DirectFile.OpenToRead(writable.Path);
        Assert.False(await tier.WriteAsync(2));
        Assert.Equal("the disk tier: it cannot be written: it may not be written", tier.Usage.Trouble);
        Assert.Equal(1, tier.Usage.Misses[TierMiss.WriteError]);
        Assert.True(await tier.ReadAsync(1));

        // Looked at again, it is no better.
        Time.Advance(TimeSpan.FromSeconds(31));
        _ = store.Trouble;
        await Task.Delay(50);
        Assert.NotNull(store.Trouble);

        segments[0].Dispose();
        segments[0] = writable;
        Time.Advance(TimeSpan.FromSeconds(31));
        await UntilAsync(() => store.Trouble is null);
        Assert.True(await tier.WriteAsync(2));
        Assert.True(await tier.ReadAsync(1));
    }

    [Fact]
    public async Task ACapacityBeyondEveryDiskIsTaken()
    {
        DiskStoreOptions options = OptionsOf("a", 1) with { CapacityBytes = 1L << 50, Space = _ => new DiskSpace(100L * RecordBytes, 1000L * RecordBytes) };
        await using DiskStore store = DiskStore.Open(TestBlocks.Format, options, Time);
        Assert.Equal(50L * RecordBytes, store.CapacityBytes);
        Assert.Equal(50L * RecordBytes, await store.ResizeAsync(1L << 49, CancellationToken.None));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    public void OptionsOutOfRangeAreNamed(long capacity, int syncEvery)
    {
        var options = new DiskStoreOptions { Folder = _folder, CapacityBytes = capacity == 0 ? RecordBytes - 1 : 1 << 20, SyncEvery = syncEvery == 0 && capacity == 1 ? 0 : 64 };
        var error = Assert.Throws<ArgumentException>(() => DiskStore.Open(TestBlocks.Format, options));
        Assert.Equal(capacity == 0 ? "CapacityBytes" : "SyncEvery", error.ParamName);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void ConcurrentTransfersAreFrom0To64(int transfers, bool allowed)
    {
        var options = new DiskStoreOptions { Folder = _folder, CapacityBytes = 1 << 20, ConcurrentTransfers = transfers };
        ArgumentException? error = Record.Exception(() => options.Validate(RecordBytes)) as ArgumentException;
        Assert.Equal(allowed ? null : "ConcurrentTransfers", error?.ParamName);
    }

    private protected override IRecordStore CreateStore(int capacity) => OpenStore($"store-{_stores++}", capacity);

    private protected override ValueTask CleanUpAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private DiskStore OpenStore(string name, int capacity) => DiskStore.Open(TestBlocks.Format, OptionsOf(name, capacity), Time);

    private DiskStoreOptions OptionsOf(string name, int capacity) => new()
    {
        Folder = Path.Combine(_folder, name),
        CapacityBytes = (long)capacity * RecordBytes,
        SegmentBytes = (long)SlotsPerSegment * RecordBytes,
    };

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (int i = 0; i < 1000 && !holds(); i++)
            await Task.Delay(5);
        Assert.True(holds());
    }

    private BlockTier OpenIn(string name, int capacity) => new("disk", TestBlocks.Format, OpenStore(name, capacity), Time);

    // One more block evicts the first in order.
    private async Task AssertReopened(bool fromIndex, int[] afterOneMore)
    {
        await using DiskStore store = OpenStore("a", 4);
        await using var tier = new BlockTier("disk", TestBlocks.Format, store, Time);
        Assert.Equal(fromIndex, store.OpenedFromIndex);
        await tier.AssertHoldsAsync([1, 2, 3, 4], of: [1, 2, 3, 4, 5]);
        await tier.WriteAsync(5);
        await tier.AssertHoldsAsync(afterOneMore, of: [1, 2, 3, 4, 5]);
        foreach (int i in afterOneMore)
            Assert.True(await tier.ReadAsync(i));
    }

    private static void CloseSegments(DiskStore store)
    {
        foreach (DirectFile segment in SegmentsOf(store))
            segment.Dispose();
    }

    private static List<DirectFile> SegmentsOf(DiskStore store) =>
        (List<DirectFile>)typeof(DiskStore).GetField("_segments", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(store)!;
}
