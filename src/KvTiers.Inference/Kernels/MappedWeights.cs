using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Inference.Kernels;

/// <summary>A file in memory at once, page by page as the system has it, that can be moved to huge pages in place, while kernels read it.</summary>
/// <remarks>Linux only. What is not moved yet is the file: it must not be written or cut short. One that is replaced by another of its name does no harm.</remarks>
internal sealed unsafe partial class MappedWeights : SafeHandleZeroOrMinusOneIsInvalid
{
    private const nuint HugePageBytes = 2 << 20;
    private const nuint MoveBytes = 8 << 20;
    private const int ProtectNone = 0, ProtectRead = 1, ProtectReadWrite = 3;
    private const int MapPrivate = 0x02, MapFixed = 0x10, MapAnonymousNoReserve = 0x20 | 0x4000;
    private const int AdviseWillNeed = 3, AdviseHugePage = 14, AdvisePopulateRead = 22;
    private const int RemapMayMoveFixed = 1 | 2;
    private const int InvalidArgument = 22;

    private readonly nuint _reservedBytes;
    private readonly nuint _byteCount;

    /// <summary>Maps a file.</summary>
    /// <param name="file">May be closed afterwards.</param>
    /// <param name="byteCount">Its length, at least 1.</param>
    /// <exception cref="IOException">The system does not map it.</exception>
    public MappedWeights(SafeFileHandle file, long byteCount)
        : base(ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        _byteCount = (nuint)byteCount;
        _reservedBytes = RoundUp(_byteCount) + HugePageBytes;
        SetHandle(Map(0, _reservedBytes, ProtectNone, MapPrivate | MapAnonymousNoReserve, -1, 0));
        if (IsInvalid)
            throw new IOException($"Reserving {_reservedBytes} bytes of address space failed with error {Marshal.GetLastPInvokeError()}.");
        nint start = (nint)RoundUp((nuint)handle);
        if (Map(start, _byteCount, ProtectRead, MapPrivate | MapFixed, (int)file.DangerousGetHandle(), 0) != start)
            throw new IOException($"Mapping {byteCount} bytes of a file failed with error {Marshal.GetLastPInvokeError()}.");
        _ = Advise(start, _byteCount, AdviseWillNeed);
        Start = (byte*)start;
    }

    /// <summary>The file's first byte, aligned to a huge page.</summary>
    public byte* Start { get; }

    /// <summary>Brings a range into memory.</summary>
    /// <param name="start">Aligned to a page.</param>
    /// <param name="byteCount">Bytes.</param>
    /// <returns>False when the disk does not give it, or the file ends before; reading it would then end the process.</returns>
    public static bool TryPopulate(byte* start, long byteCount) =>
        Advise((nint)start, (nuint)byteCount, AdvisePopulateRead) == 0 || Marshal.GetLastPInvokeError() == InvalidArgument; // Systems before Linux 5.14 do not know it.

    /// <summary>
    /// Copies everything to huge pages, a piece at a time, and puts each piece in the file's place, with the same bytes at the same address.
    /// Where the system refuses, the rest stays as it is.
    /// </summary>
    public void MoveToHugePages(CancellationToken cancellationToken)
    {
        nuint stagedBytes = RoundUp(_byteCount) + HugePageBytes;
        nint mapped = Map(0, stagedBytes, ProtectReadWrite, MapPrivate | MapAnonymousNoReserve, -1, 0);
        if (mapped == -1)
            return;

        // One piece of address space for all, so that neighbours stay neighbours when they are moved, and the system keeps few entries.
        nint staged = (nint)RoundUp((nuint)mapped);
        _ = Advise(staged, RoundUp(_byteCount), AdviseHugePage);
        nuint done = 0;
        while (done < _byteCount && !cancellationToken.IsCancellationRequested)
        {
            nuint bytes = nuint.Min(MoveBytes, _byteCount - done);
            NativeMemory.Copy(Start + done, (void*)(staged + (nint)done), bytes);
            if (Remap(staged + (nint)done, RoundUp(bytes), RoundUp(bytes), RemapMayMoveFixed, (nint)Start + (nint)done) == -1)
                break;
            done += RoundUp(bytes);
        }

        // A piece that was moved has left its addresses, and whatever another thread maps may be there since: only what did not move is given back.
        _ = Unmap(mapped, (nuint)(staged - mapped));
        _ = Unmap(staged + (nint)done, stagedBytes - (nuint)(staged - mapped) - done);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Unmap(handle, _reservedBytes) == 0;

    private static nuint RoundUp(nuint bytes) => (bytes + HugePageBytes - 1) / HugePageBytes * HugePageBytes;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    private static partial nint Remap(nint address, nuint length, nuint newLength, int flags, nint newAddress);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);
}
