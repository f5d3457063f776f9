using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using KvTiers.Blocks;

namespace KvTiers.Bench.Tiers;

/// <summary>The limit of tiers in memory: blocks copied from memory to memory, by the runtime or past the caches. One thread.</summary>
internal sealed unsafe class MemoryCopyLoad(HotBlocks hot, BlockPool target, bool nonTemporal) : ILoad
{
    private int _next;

    public Task RunAsync(TimeSpan slice, Samples samples)
    {
        var ticks = new List<long>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < slice)
        {
            long before = Stopwatch.GetTimestamp();
            Span<byte> to = target.Bytes(_next * 7919 % target.Capacity);
            ReadOnlySpan<byte> from = hot.Memory[_next % hot.Count].Span;
            if (nonTemporal)
                CopyPastCaches(from, to);
            else
                from.CopyTo(to);

            ticks.Add(Stopwatch.GetTimestamp() - before);
            _next = (_next + 1) & 0xFFFF;
        }

        samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds, hot.Layout.BytesPerBlock, ticks);
        return Task.CompletedTask;
    }

    private static void CopyPastCaches(ReadOnlySpan<byte> from, Span<byte> to)
    {
        fixed (byte* source = &MemoryMarshal.GetReference(from), destination = &MemoryMarshal.GetReference(to))
        {
            for (int i = 0; i < from.Length; i += 256)
            {
                Vector512<byte> a = Vector512.Load(source + i), b = Vector512.Load(source + i + 64);
                Vector512<byte> c = Vector512.Load(source + i + 128), d = Vector512.Load(source + i + 192);
                a.StoreAlignedNonTemporal(destination + i);
                b.StoreAlignedNonTemporal(destination + i + 64);
                c.StoreAlignedNonTemporal(destination + i + 128);
                d.StoreAlignedNonTemporal(destination + i + 192);
            }
        }
    }
}
