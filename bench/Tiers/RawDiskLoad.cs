using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using KvTiers.Blocks;

namespace KvTiers.Bench.Tiers;

/// <summary>The limit of tiers on disk: pread and pwrite past the page cache, one thread for each call under way.</summary>
/// <remarks>Reads go to places in no order, writes one after the other, as a tier's do.</remarks>
internal sealed unsafe partial class RawDiskLoad : ILoad, IDisposable
{
    private const int Stride = 7919;
    private const int OpenReadWrite = 0x2, OpenCreate = 0x40, OwnerReadWrite = 0x180;

    private readonly int _descriptor;
    private readonly int _blockBytes;
    private readonly int _blocks;
    private readonly int _depth;
    private readonly bool _write;
    private int _next;

    public RawDiskLoad(string path, long fileBytes, int blockBytes, int depth, bool write)
    {
        int direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;
        _descriptor = Open(path, OpenReadWrite | OpenCreate | direct, OwnerReadWrite);
        if (_descriptor < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"'{path}' cannot be opened with O_DIRECT");
        }

        _blockBytes = blockBytes;
        _blocks = (int)(fileBytes / blockBytes);
        _depth = depth;
        _write = write;
    }

    /// <summary>Reserves the file's room and writes all of it once, so that nothing measured later pays for fresh space.</summary>
    public static void Fill(string path, long fileBytes)
    {
        const int PieceBytes = 4 << 20;
        using var load = new RawDiskLoad(path, fileBytes, PieceBytes, depth: 1, write: true);
        if (Allocate(load._descriptor, 0, (nint)fileBytes) != 0)
        {
            throw new IOException($"No room for {fileBytes} bytes at '{path}'.");
        }

        using var buffer = new SlabSegment(PieceBytes);
        new Random(1).NextBytes(new Span<byte>((void*)buffer.Start, PieceBytes));
        for (int block = 0; block < load._blocks; block++)
        {
            load.Move((void*)buffer.Start, block);
        }
    }

    public Task RunAsync(TimeSpan slice, Samples samples)
    {
        long start = Stopwatch.GetTimestamp();
        var ticks = new List<long>[_depth];
        Thread[] threads = [.. Enumerable.Range(0, _depth).Select(thread => new Thread(() => ticks[thread] = Repeat(start, slice)))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds, _blockBytes, ticks.SelectMany(each => each));
        return Task.CompletedTask;
    }

    public void Dispose() => _ = Close(_descriptor);

    private List<long> Repeat(long start, TimeSpan slice)
    {
        var ticks = new List<long>();

        // On huge pages, as hot blocks are: the device sees fewer pieces.
        using var buffer = new SlabSegment(4 << 20);
        new Span<byte>((void*)buffer.Start, _blockBytes).Fill(0xA5);
        while (Stopwatch.GetElapsedTime(start) < slice)
        {
            int number = Interlocked.Increment(ref _next) & int.MaxValue;
            long before = Stopwatch.GetTimestamp();
            Move((void*)buffer.Start, _write ? number % _blocks : (long)number * Stride % _blocks);
            ticks.Add(Stopwatch.GetTimestamp() - before);
        }

        return ticks;
    }

    private void Move(void* buffer, long block)
    {
        nint moved = _write
            ? Write(_descriptor, buffer, _blockBytes, (nint)(block * _blockBytes))
            : Read(_descriptor, buffer, _blockBytes, (nint)(block * _blockBytes));
        if (moved != _blockBytes)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"moved {moved} of {_blockBytes} bytes");
        }
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
