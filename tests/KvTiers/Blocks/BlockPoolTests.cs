using System.Runtime.InteropServices;
using KvTiers.Blocks;

namespace KvTiers.Tests.Blocks;

public sealed class BlockPoolTests
{
    private static readonly BlockLayout Layout = new(1, 1, 8);

    [Fact]
    public void SlotsAreHandedOutInOrderAndComeBackAtTheEndOfTheQueue()
    {
        using BlockPool pool = new(Layout, 4);
        Assert.Equal([0, 1, 2], Allocate(pool, 3));
        pool.Free(1);
        pool.Free(0);
        Assert.Equal([3, 1, 0], pool.FreeSlots());
        Assert.Equal([3, 1, 0], Allocate(pool, 3));
        Assert.False(pool.TryAllocate(out _));
    }

    [Fact]
    public void BlocksAreAlignedApartAndWritableToTheLastByte()
    {
        using BlockPool pool = new(Layout, 8);
        int[] slots = Allocate(pool, 8);
        foreach (int slot in slots)
        {
            Assert.Equal(0, pool.Address(slot) % BlockLayout.Alignment);
            Assert.Equal(Layout.BytesPerBlock, pool.Bytes(slot).Length);
            pool.Bytes(slot).Fill((byte)(slot + 1));
        }

        foreach (int slot in slots) Assert.Equal(-1, pool.Bytes(slot).IndexOfAnyExcept((byte)(slot + 1)));
    }

    [Fact]
    public void BlocksOfSeveralSegmentsKeepTheirAddressesWhileThePoolGrows()
    {
        // 32 MiB a block, two a segment.
        using BlockPool pool = new(new BlockLayout(Layers: 64, KvHeads: 64, HeadDim: 64), 3);
        int[] slots = Allocate(pool, 3);
        nint[] addresses = [.. slots.Select(pool.Address)];
        foreach (int slot in slots) pool.Bytes(slot)[^1] = (byte)(slot + 1);
        pool.Grow(2);
        Assert.Equal([3, 4], pool.FreeSlots());
        Assert.Equal(addresses, slots.Select(pool.Address));
        Assert.Equal([1, 2, 3], slots.Select(slot => (int)pool.Bytes(slot)[^1]));
    }

    [Fact]
    public void FreeingTwiceOrFreeingNothingIsAnError()
    {
        using BlockPool pool = new(Layout, 2);
        Assert.True(pool.TryAllocate(out int slot));
        pool.Free(slot);
        Assert.Throws<InvalidOperationException>(() => pool.Free(slot));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Free(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Free(-1));
    }

    [Fact]
    public void ShrinkingRetiresTheHighestFreeSlotsAndGrowingBringsThemBack()
    {
        using BlockPool pool = new(Layout, 6);
        Allocate(pool, 6);
        foreach (int slot in new[] { 5, 0, 3, 1 }) pool.Free(slot);
        Assert.Equal(2, pool.Retire(2));
        Assert.Equal(4, pool.Capacity);
        Assert.Equal([0, 1], pool.FreeSlots());
        pool.Grow(3);
        Assert.Equal(7, pool.Capacity);
        Assert.Equal([0, 1, 3, 5, 6], pool.FreeSlots());
    }

    [Fact]
    public void NoMoreSlotsAreRetiredThanAreFree()
    {
        using BlockPool pool = new(Layout, 4);
        Allocate(pool, 3);
        Assert.Equal(1, pool.Retire(4));
        Assert.Equal(3, pool.Capacity);
        Assert.Empty(pool.FreeSlots());
    }

    [Fact]
    public void RetiringKeepsTheBytesOfBlocksInUse()
    {
        // 4 KiB a block: every retired slot gives a page back.
        using BlockPool pool = new(new BlockLayout(1, 1, 32), 16);
        int[] slots = Allocate(pool, 16);
        foreach (int slot in slots) pool.Bytes(slot).Fill((byte)(slot + 1));
        foreach (int slot in slots.Where(slot => slot % 3 != 0)) pool.Free(slot);
        pool.Retire(16);
        foreach (int slot in slots.Where(slot => slot % 3 == 0)) Assert.Equal(-1, pool.Bytes(slot).IndexOfAnyExcept((byte)(slot + 1)));
    }

    [Fact]
    public async Task PrefaultingLeavesTheBytesAlone()
    {
        using BlockPool pool = new(new BlockLayout(1, 1, 32), 4096, prefault: true);
        int[] slots = Allocate(pool, 4096);
        foreach (int slot in slots) pool.Bytes(slot).Fill((byte)slot);
        await pool.Prefaulting;
        foreach (int slot in slots) Assert.Equal(-1, pool.Bytes(slot).IndexOfAnyExcept((byte)slot));
    }

    [Fact]
    public async Task PrefaultingBeginsWhenItIsAskedFor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What is resident is read from /proc.");
        using BlockPool pool = new(new BlockLayout(1, 1, 32), 4096);
        Assert.Equal(0, ResidentPages(pool, 0, 4096));

        pool.StartPrefault();
        await pool.Prefaulting;
        Assert.Equal(4096 * pool.Shape.BytesPerBlock / Environment.SystemPageSize, ResidentPages(pool, 0, 4096));

        pool.Grow(4096);
        await pool.Prefaulting;
        Assert.Equal(4096 * pool.Shape.BytesPerBlock / Environment.SystemPageSize, ResidentPages(pool, 4096, 4096));
    }

    [Fact]
    public void TakingAndFreeingAllocateNothing()
    {
        using BlockPool pool = new(Layout, 8);
        pool.TryAllocate(out int slot);
        pool.Free(slot);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            pool.TryAllocate(out slot);
            pool.Free(slot);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void AnEmptyPoolIsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPool(Layout, 0));

    // One word for each page of the process's addresses; its highest bit says that there is memory behind it.
    private static int ResidentPages(BlockPool pool, int firstSlot, int count)
    {
        ulong[] pages = new ulong[count * pool.Shape.BytesPerBlock / Environment.SystemPageSize];
        using var map = File.OpenHandle("/proc/self/pagemap");
        Span<byte> words = MemoryMarshal.AsBytes(pages.AsSpan());
        Assert.Equal(words.Length, RandomAccess.Read(map, words, pool.Address(firstSlot) / Environment.SystemPageSize * sizeof(ulong)));
        return pages.Count(page => (page & (1UL << 63)) != 0);
    }

    private static int[] Allocate(BlockPool pool, int count)
    {
        int[] slots = new int[count];
        for (int i = 0; i < count; i++) Assert.True(pool.TryAllocate(out slots[i]));
        return slots;
    }
}
