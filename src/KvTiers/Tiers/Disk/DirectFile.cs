using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Tiers.Disk;

/// <summary>
/// A file of one length that is read and written past the page cache (O_DIRECT) where the file system takes it, and
/// through it where not.
/// </summary>
/// <remarks>
/// Offsets, lengths and buffer addresses are multiples of <see cref="Alignment"/>, always: what works on a buffered
/// file then works on a direct one. .NET's FileOptions has no flag for O_DIRECT, so the file is opened by the C library.
/// </remarks>
internal sealed partial class DirectFile : IDisposable
{
    /// <summary>Bytes. The sector size that direct I/O asks for.</summary>
    public const int Alignment = 512;

    // Shorter records are not worth a second transfer.
    private const int OverlapBytes = 512 << 10;

    // <fcntl.h> on Linux: x64 and arm64 agree on all but O_DIRECT.
    private const int OpenReadWrite = 0x2;
    private const int OpenCreate = 0x40;
    private const int OpenCloseOnExec = 0x80000;
    private const int OwnerReadWrite = 0x180;

    // <linux/falloc.h>
    private const int KeepSize = 0x1;
    private const int PunchHole = 0x2;

    // EOPNOTSUPP, where the C library does not reserve by writing either.
    private const int NotSupported = 95;

    private readonly SafeFileHandle _handle;

    private DirectFile(string path, SafeFileHandle handle, bool isDirect)
    {
        Path = path;
        _handle = handle;
        IsDirect = isDirect;
    }

    public string Path { get; }

    public bool IsDirect { get; }

    public long LengthBytes => RandomAccess.GetLength(_handle);

    private static int OpenDirect => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

    /// <summary>Opens or creates <paramref name="path"/> with a length, for which <see cref="Reserve"/> gets room on the disk.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory or file is not writable.</exception>
    public static DirectFile Open(string path, long lengthBytes, bool preferDirect)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(lengthBytes % Alignment, 0);

        // Opened the ordinary way first: it reports errors well.
        using (SafeFileHandle ordinary = File.OpenHandle(
            path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, FileOptions.None))
        {
            if (RandomAccess.GetLength(ordinary) != lengthBytes)
                RandomAccess.SetLength(ordinary, lengthBytes);
        }

        if (preferDirect && OperatingSystem.IsLinux())
        {
            int descriptor = OpenFile(path, OpenReadWrite | OpenCreate | OpenCloseOnExec | OpenDirect, OwnerReadWrite);
            if (descriptor >= 0)
            {
                var direct = new DirectFile(path, new SafeFileHandle(descriptor, ownsHandle: true), isDirect: true);
                if (direct.TakesDirectReads())
                    return direct;

                direct.Dispose();
            }
        }

        return new DirectFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), isDirect: false);
    }

    /// <summary>Opens a file that cannot be written, as one on a device that takes nothing.</summary>
    internal static DirectFile OpenToRead(string path) => new(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), isDirect: false);

    /// <summary>Reads until <paramref name="destination"/> is full; false at the end of the file.</summary>
    public bool TryRead(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, destination, offset);
            if (read <= 0 || (IsDirect && read % Alignment != 0))
                return false;

            destination = destination[read..];
            offset += read;
        }

        return true;
    }

    /// <summary>Reads to two places, with one call where the file gives all at once.</summary>
    public bool TryRead(long offset, Memory<byte> first, Memory<byte> second) =>
        RandomAccess.Read(_handle, [first, second], offset) == first.Length + second.Length
            || (TryRead(offset, first.Span) && TryRead(offset + first.Length, second.Span));

    public void Write(long offset, ReadOnlySpan<byte> source) => RandomAccess.Write(_handle, source, offset);

    /// <summary>Writes from two places, of which the first is filled by <paramref name="seal"/>.</summary>
    public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second, Action seal)
    {
        if (!IsDirect || second.Length < OverlapBytes || !TryWriteWhileSealing(offset, first, second, seal))
        {
            seal();
            RandomAccess.Write(_handle, [first, second], offset);
        }
    }

    /// <summary>Returns when everything written is on the device (fdatasync).</summary>
    /// <exception cref="IOException">The device failed to take it.</exception>
    public void Flush()
    {
        if (OperatingSystem.IsLinux())
        {
            if (SyncData(_handle) != 0)
                throw new IOException($"fdatasync of '{Path}' failed: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
        }
        else
        {
            RandomAccess.FlushToDisk(_handle);
        }
    }

    /// <summary>Reserves a range's room on the disk, if the file system can: writing there then takes no more of it. Done twice, it is done once.</summary>
    /// <exception cref="IOException">There is no room; the error's number is its <see cref="Exception.HResult"/>.</exception>
    public void Reserve(long offset, long lengthBytes)
    {
        if (!OperatingSystem.IsLinux())
            return;
        int error = Allocate(_handle, offset, lengthBytes);
        if (error is not (0 or NotSupported))
            throw new IOException($"No room for {lengthBytes} bytes at '{Path}': {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    /// <summary>Gives the room of a range back to the file system, which reads as zeros then. Advice: a file system may not take it.</summary>
    public void GiveBack(long offset, long lengthBytes)
    {
        if (OperatingSystem.IsLinux())
            _ = ChangeAllocation(_handle, PunchHole | KeepSize, offset, lengthBytes);
    }

    public void Dispose() => _handle.Dispose();

    /// <summary>The second half of what is written is on its way to the device while the header is filled.</summary>
    /// <returns>False when the kernel has no queue for this thread, and nothing was done.</returns>
    private unsafe bool TryWriteWhileSealing(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second, Action seal)
    {
        if (TransferQueue.OfThisThread() is not { } queue)
            return false;

        int half = second.Length / 2 / Alignment * Alignment;
        using MemoryHandle head = first.Pin(), body = second.Pin();
        try
        {
            queue.StartWrite(_handle, (byte*)body.Pointer + half, second.Length - half, offset + first.Length + half);
            seal();
            queue.StartWrite(_handle, head.Pointer, first.Length, body.Pointer, half, offset);
        }
        catch
        {
            // Whatever happened: the place goes to nobody else while the device still writes to it.
            queue.Finish();
            throw;
        }

        return queue.Finish() ? true : throw new IOException($"'{Path}' took a part of a record only.");
    }

    private bool TakesDirectReads()
    {
        using var probe = new AlignedBuffer(Alignment);
        try
        {
            RandomAccess.Read(_handle, probe.GetSpan(), 0);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int SyncData(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int ChangeAllocation(SafeFileHandle handle, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(SafeFileHandle handle, long offset, long length);
}
