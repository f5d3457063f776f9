using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Bench.Limits;

/// <summary>
/// Measures again and again, for a short while each time, how fast memory is read: so often that a limit stands right beside what is measured
/// against it. Every thread reads a part of its own, on huge pages, 8 × as large as a last-level cache of 32 MiB; two streams with prefetch ahead.
/// </summary>
public sealed unsafe partial class ReadProbe : IDisposable
{
    private const long BytesPerThread = 256L << 20;
    private const long PieceBytes = 8 << 20;
    private const int AheadBytes = 2048;
    private const int HugePageBytes = 2 << 20;
    private const int AdviseHugePages = 14;
    private readonly byte* _memory;
    private readonly int _threads;
    private readonly long[] _next;

    /// <summary>Takes 256 MiB for each thread.</summary>
    public ReadProbe(int threads)
    {
        _threads = threads;
        _next = new long[threads * 8];
        nuint size = (nuint)(threads * BytesPerThread);
        _memory = (byte*)NativeMemory.AlignedAlloc(size, HugePageBytes);
        if (OperatingSystem.IsLinux())
            _ = Advise(_memory, size, AdviseHugePages);
        NativeMemory.Fill(_memory, size, 1);
    }

    ~ReadProbe() => NativeMemory.AlignedFree(_memory);

    /// <summary>Bytes per second, all threads together.</summary>
    public double Measure(TimeSpan duration) => MachineLimits.OverThreads(_threads, duration, Read) * PieceBytes;

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        GC.SuppressFinalize(this);
    }

    // One piece, where the thread left off.
    private double Read(int thread)
    {
        long offset = _next[thread * 8];
        _next[thread * 8] = (offset + PieceBytes) % BytesPerThread;
        byte* first = _memory + thread * BytesPerThread + offset, second = first + PieceBytes / 2, end = second;
        Vector512<uint> a = default, b = default, c = default, d = default;
        for (; first < end; first += 128, second += 128)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(first + AheadBytes);
                Sse.Prefetch0(first + AheadBytes + 64);
                Sse.Prefetch0(second + AheadBytes);
                Sse.Prefetch0(second + AheadBytes + 64);
            }
            a ^= Vector512.Load((uint*)first);
            b ^= Vector512.Load((uint*)(first + 64));
            c ^= Vector512.Load((uint*)second);
            d ^= Vector512.Load((uint*)(second + 64));
        }
        return Vector512.Sum(a ^ b ^ c ^ d);
    }

    // A refused advice costs speed only, so the result is not looked at.
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
