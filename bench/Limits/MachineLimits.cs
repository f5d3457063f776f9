using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using KvTiers.Tiers;

namespace KvTiers.Bench.Limits;

/// <summary>What this machine can do at most, measured now: the denominators of every ratio that is quoted.</summary>
public static unsafe class MachineLimits
{
    /// <summary>Bytes per second that <paramref name="threads"/> threads read from memory far larger than the caches.</summary>
    public static double MemoryReadBytesPerSecond(int threads, int seconds = 2)
    {
        using var probe = new ReadProbe(threads);
        return probe.Measure(TimeSpan.FromSeconds(seconds));
    }

    /// <summary>Bytes per second copied (each byte counted once) from memory to memory.</summary>
    public static double MemoryCopyBytesPerSecond(int threads, int seconds = 2)
    {
        const long BytesPerThread = 512L << 20;
        return OverNativeBuffers(threads, BytesPerThread, seconds, static (buffer, _, length) =>
        {
            long half = length / 2;
            Buffer.MemoryCopy(buffer, buffer + half, half, half);
            return buffer[half];
        }) / 2;
    }

    /// <summary>Floating-point operations per second of 32-bit fused multiply-adds from registers, two per element.</summary>
    public static double FusedMultiplyAddsPerSecond(int threads, TimeSpan duration)
    {
        const int Rounds = 1 << 16;
        double rounds = OverThreads(threads, duration, static _ =>
        {
            Vector512<float> m = Vector512.Create(0.999f), s = Vector512.Create(0.001f);
            Vector512<float> a0 = s, a1 = s, a2 = s, a3 = s, a4 = s, a5 = s, a6 = s, a7 = s, a8 = s, a9 = s;
            for (int i = 0; i < Rounds; i++)
            {
                a0 = Vector512.FusedMultiplyAdd(a0, m, s);
                a1 = Vector512.FusedMultiplyAdd(a1, m, s);
                a2 = Vector512.FusedMultiplyAdd(a2, m, s);
                a3 = Vector512.FusedMultiplyAdd(a3, m, s);
                a4 = Vector512.FusedMultiplyAdd(a4, m, s);
                a5 = Vector512.FusedMultiplyAdd(a5, m, s);
                a6 = Vector512.FusedMultiplyAdd(a6, m, s);
                a7 = Vector512.FusedMultiplyAdd(a7, m, s);
                a8 = Vector512.FusedMultiplyAdd(a8, m, s);
                a9 = Vector512.FusedMultiplyAdd(a9, m, s);
            }

            return Vector512.Sum(a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9);
        });
        return rounds * Rounds * 10 * Vector512<float>.Count * 2;
    }

    /// <summary>Bytes per second of SHA-256 over a long input, one thread.</summary>
    public static double Sha256BytesPerSecond(int seconds = 1) => HashRate(seconds, static data =>
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        return hash[0];
    });

    /// <summary>Bytes per second of <see cref="Crc32C"/>, one thread.</summary>
    public static double Crc32CBytesPerSecond(int seconds = 1) => HashRate(seconds, static data => Crc32C.Compute(data));

    private static double HashRate(int seconds, Func<byte[], double> hash)
    {
        var data = new byte[1 << 20];
        return OverThreads(1, TimeSpan.FromSeconds(seconds), _ => hash(data)) * data.Length;
    }

    private delegate double BufferWork(byte* buffer, int thread, long length);

    private static double OverNativeBuffers(int threads, long bytesPerThread, int seconds, BufferWork work)
    {
        var buffers = new nint[threads];
        for (int i = 0; i < threads; i++)
        {
            buffers[i] = (nint)NativeMemory.AlignedAlloc((nuint)bytesPerThread, 1 << 21);
            NativeMemory.Fill((void*)buffers[i], (nuint)bytesPerThread, 1);
        }

        try
        {
            return OverThreads(threads, TimeSpan.FromSeconds(seconds), thread => work((byte*)buffers[thread], thread, bytesPerThread)) * bytesPerThread;
        }
        finally
        {
            foreach (nint buffer in buffers)
                NativeMemory.AlignedFree((void*)buffer);
        }
    }

    /// <summary>Calls of <paramref name="work"/>, given its thread's number, a second, all threads together.</summary>
    internal static double OverThreads(int threads, TimeSpan duration, Func<int, double> work)
    {
        long calls = 0;
        double sink = 0;
        using var start = new Barrier(threads + 1);
        var running = new Thread[threads];
        var elapsed = new double[threads];
        var counts = new long[threads];
        for (int i = 0; i < threads; i++)
        {
            int me = i;
            running[i] = new Thread(() =>
            {
                double local = work(me) + work(me);
                start.SignalAndWait();
                var clock = Stopwatch.StartNew();
                while (clock.Elapsed < duration)
                {
                    local += work(me);
                    counts[me]++;
                }

                elapsed[me] = clock.Elapsed.TotalSeconds;
                Interlocked.Exchange(ref sink, local);
            });
            running[i].Start();
        }

        start.SignalAndWait();
        foreach (Thread thread in running)
            thread.Join();

        double rate = 0;
        for (int i = 0; i < threads; i++)
        {
            calls += counts[i];
            rate += counts[i] / elapsed[i];
        }

        GC.KeepAlive(sink + calls);
        return rate;
    }
}
