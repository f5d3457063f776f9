using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using KvTiers.Blocks;

namespace KvTiers.Bench.Tiers;

/// <summary>The limit of tiers on disk: pread and pwrite past the page cache, one thread for each call under way.</summary>
/// <remarks>
/// Reads go to places in no order, writes one after the other, as a tier's do, from and to the same hot blocks. One buffer
/// for all would stay in the processor's caches, from which a device that is a file elsewhere is served faster.
/// </remarks>
internal sealed unsafe partial class RawDiskLoad : ILoad, IDisposable
{
    private const int Stride = 7919;
    private const int OpenReadWrite = 0x2, OpenCreate = 0x40, OwnerReadWrite = 0x180;

    private readonly int _descriptor;
    private readonly HotBlocks _hot;
    private readonly int _blockBytes;
    private readonly int _blocks;
    private readonly int _depth;
    private readonly bool _write;
    private int _next;

    public RawDiskLoad(string path, long fileBytes, HotBlocks hot, int depth, bool write)
    {
        _descriptor = OpenDirect(path);
        _hot = hot;
        _blockBytes = hot.Layout.BytesPerBlock;
        _blocks = (int)(fileBytes / _blockBytes);
        _depth = depth;
        _write = write;
    }

    /// <summary>Reserves the file's room and writes all of it once, so that nothing measured later pays for fresh space.</summary>
    public static void Fill(string path, long fileBytes)
    {
        const int PieceBytes = 4 << 20;
        int descriptor = OpenDirect(path);
        if (Allocate(descriptor, 0, (nint)fileBytes) != 0)
            throw new IOException($"No room for {fileBytes} bytes at '{path}'.");

        using var buffer = new SlabSegment(PieceBytes);
        new Random(1).NextBytes(new Span<byte>((void*)buffer.Start, PieceBytes));
        for (long offset = 0; offset < fileBytes; offset += PieceBytes)
            Check(Write(descriptor, (void*)buffer.Start, PieceBytes, (nint)offset), PieceBytes);

        _ = Close(descriptor);
    }

    public Task RunAsync(TimeSpan slice, Samples samples)
    {
        long start = Stopwatch.GetTimestamp();
        var ticks = new List<long>[_depth];
        Thread[] threads = [.. Enumerable.Range(0, _depth).Select(thread => new Thread(() => ticks[thread] = Repeat(start, slice)))];
        foreach (Thread thread in threads)
            thread.Start();

        foreach (Thread thread in threads)
            thread.Join();

        samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds, _blockBytes, ticks.SelectMany(each => each));
        return Task.CompletedTask;
    }

    public void Dispose() => _ = Close(_descriptor);

    private List<long> Repeat(long start, TimeSpan slice)
    {
        var ticks = new List<long>();
        while (Stopwatch.GetElapsedTime(start) < slice)
        {
            int number = Interlocked.Increment(ref _next) & int.MaxValue;
            long before = Stopwatch.GetTimestamp();
            using (MemoryHandle buffer = _hot.Memory[number % _hot.Count].Pin())
                Move(buffer.Pointer, _write ? number % _blocks : (long)number * Stride % _blocks);

            ticks.Add(Stopwatch.GetTimestamp() - before);
        }

        return ticks;
    }

    private void Move(void* buffer, long block) => Check(
        _write
            ? Write(_descriptor, buffer, _blockBytes, (nint)(block * _blockBytes))
            : Read(_descriptor, buffer, _blockBytes, (nint)(block * _blockBytes)),
        _blockBytes);

    private static void Check(nint moved, int expected)
    {
        if (moved != expected)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"moved {moved} of {expected} bytes");
    }

    private static int OpenDirect(string path)
    {
        int direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;
        int descriptor = Open(path, OpenReadWrite | OpenCreate | direct, OwnerReadWrite);
        return descriptor >= 0
            ? descriptor
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"'{path}' cannot be opened with O_DIRECT");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(int descriptor, nint offset, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static partial nint Read(int descriptor, void* buffer, nint count, nint offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint Write(int descriptor, void* buffer, nint count, nint offset);
}
