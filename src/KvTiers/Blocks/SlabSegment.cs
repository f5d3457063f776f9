using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Blocks;

/// <summary>A piece of native memory, zeroed, advised to sit on huge pages where the system has them.</summary>
internal sealed unsafe partial class SlabSegment : SafeHandleZeroOrMinusOneIsInvalid
{
    private const nuint HugePageBytes = 2 << 20;
    private const int ProtectReadWrite = 0x1 | 0x2;
    private const int MapPrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;
    private const int AdviseDontNeed = 4;
    private const int AdviseHugePage = 14;
    private const int AdvisePopulateWrite = 23;

    private readonly nuint _mappedBytes;

    /// <summary>Maps <paramref name="byteCount"/> bytes.</summary>
    /// <exception cref="OutOfMemoryException">The system gives no such amount of memory.</exception>
    public SlabSegment(long byteCount)
        : base(ownsHandle: true)
    {
        Bytes = byteCount;
        nuint alignment = (nuint)byteCount >= HugePageBytes ? HugePageBytes : (nuint)Environment.SystemPageSize;
        if (!OperatingSystem.IsLinux())
        {
            void* memory = NativeMemory.AlignedAlloc((nuint)byteCount, alignment);
            NativeMemory.Clear(memory, (nuint)byteCount);
            SetHandle((nint)memory);
            Start = (nint)memory;
            return;
        }

        _mappedBytes = (nuint)byteCount + alignment;
        nint mapped = MemoryMap(0, _mappedBytes, ProtectReadWrite, MapPrivateAnonymousNoReserve, -1, 0);
        if (mapped == -1)
            throw new OutOfMemoryException($"Mapping {_mappedBytes} bytes for KV blocks failed with error {Marshal.GetLastPInvokeError()}.");
        SetHandle(mapped);
        Start = (nint)(((nuint)mapped + alignment - 1) / alignment * alignment);

        // Advice only: without huge pages the slab works, with more misses in the translation buffer.
        _ = MemoryAdvise(Start, (nuint)byteCount, AdviseHugePage);
    }

    /// <summary>Usable bytes from <see cref="Start"/>.</summary>
    public long Bytes { get; }

    /// <summary>The first byte, aligned to a page, or to a huge page when the segment is as large as one.</summary>
    public nint Start { get; }

    /// <summary>Makes the range resident without changing its contents; other threads may be using it.</summary>
    public void Populate(long offset, long byteCount)
    {
        nint page = Environment.SystemPageSize;
        nint from = (Start + (nint)offset) / page * page;
        nint to = Start + (nint)(offset + byteCount);
        if (OperatingSystem.IsLinux() && MemoryAdvise(from, (nuint)(to - from), AdvisePopulateWrite) == 0) return;
        for (nint address = Start + (nint)offset; address < to; address = (address + page) / page * page)
            Interlocked.CompareExchange(ref *(int*)(address & ~3), 0, 0);
    }

    /// <summary>Gives the whole pages inside the range back to the system. Their contents are lost.</summary>
    public void Discard(long offset, long byteCount)
    {
        if (!OperatingSystem.IsLinux()) return;
        nint page = Environment.SystemPageSize;
        nint from = (Start + (nint)offset + page - 1) / page * page;
        nint to = (Start + (nint)(offset + byteCount)) / page * page;
        if (to > from) _ = MemoryAdvise(from, (nuint)(to - from), AdviseDontNeed);
    }

    protected override bool ReleaseHandle()
    {
        if (OperatingSystem.IsLinux()) return MemoryUnmap(handle, _mappedBytes) == 0;
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);
}
