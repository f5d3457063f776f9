using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;
using KvTiers.Bench.Tiers;
using KvTiers.Blocks;

namespace KvTiers.Bench.Memory;

/// <summary><c>gc-pauses</c>: the pauses of the garbage collector under one load of allocations, holding no blocks and holding gigabytes of them, in turns.</summary>
internal static class GcPausesCommand
{
    public static Command Create()
    {
        var output = ResultFile.Option();
        var held = new Option<int>("--held-gib") { Description = "GiB of blocks held, half hot and half in the RAM tier.", DefaultValueFactory = _ => 4 };
        var block = new Option<int>("--block-kib") { Description = "KiB of a block, a multiple of 4.", DefaultValueFactory = _ => 256 };
        var rounds = new Option<int>("--rounds") { Description = "Times that blocks are filled, held and given back.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<int>("--seconds") { Description = "Seconds of load in each turn.", DefaultValueFactory = _ => 5 };
        var command = new Command("gc-pauses", "Measure garbage collection pauses with and without gigabytes of blocks held.") { output, held, block, rounds, seconds };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(output), (long)parsed.GetValue(held) << 30, HotBlocks.LayoutOf(parsed.GetValue(block) << 10), parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? folder, long heldBytes, BlockLayout layout, int rounds, TimeSpan length, CancellationToken cancel)
    {
        using var result = ResultFile.Create(
            folder, "gc-pauses", "held_gib", "blocks", "collections", "pause_p50_ms", "pause_p99_ms", "pause_max_ms", "paused_share", "full_collection_ms", "allocated_gb_s");
        var load = new AllocationLoad();
        load.Run(length / 2); // the heap grows to its size
        var none = new PauseSamples();
        var held = new PauseSamples();
        long blocks = 0;
        for (int round = 0; round < rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            none.Add(load, length);
            await using HeldBlocks filled = await HeldBlocks.FillAsync(heldBytes, layout);
            blocks = filled.BlockCount;
            held.Add(load, length);
        }

        foreach ((PauseSamples samples, long bytes) in new[] { (none, 0L), (held, heldBytes) })
        {
            result.Add(
                bytes >> 30, bytes == 0 ? 0 : blocks, samples.Count, samples.Milliseconds(50), samples.Milliseconds(99), samples.Milliseconds(100),
                samples.PausedShare, samples.FullCollectionMilliseconds, samples.BytesPerSecond / 1e9);
        }
    }

    /// <summary>A server's garbage: objects of many sizes, most of them dead at once, some alive for a while.</summary>
    private sealed class AllocationLoad
    {
        private readonly byte[][] _alive = new byte[20_000][];
        private readonly Random _random = new(1);

        /// <returns>The pause of each collection, and the bytes allocated.</returns>
        public (List<TimeSpan> Pauses, long Bytes) Run(TimeSpan length)
        {
            var pauses = new List<TimeSpan>();
            long bytes = 0, index = GC.GetGCMemoryInfo(GCKind.Any).Index;
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < length)
            {
                for (int i = 0; i < 64; i++)
                {
                    byte[] made = new byte[_random.Next(32, 2048)];
                    bytes += made.Length;
                    if ((i & 7) == 0)
                        _alive[_random.Next(_alive.Length)] = made;
                }

                GCMemoryInfo last = GC.GetGCMemoryInfo(GCKind.Any);
                if (last.Index != index)
                {
                    index = last.Index;
                    pauses.AddRange(last.PauseDurations.ToArray().Where(pause => pause > TimeSpan.Zero));
                }
            }

            return (pauses, bytes);
        }
    }

    private sealed class PauseSamples
    {
        private readonly List<double> _milliseconds = [];
        private readonly List<double> _full = [];
        private double _paused;
        private double _seconds;
        private long _bytes;

        public int Count => _milliseconds.Count;

        public double PausedShare => _paused / _seconds;

        public double BytesPerSecond => _bytes / _seconds;

        public double FullCollectionMilliseconds => _full.Order().ElementAt(_full.Count / 2);

        public void Add(AllocationLoad load, TimeSpan length)
        {
            TimeSpan before = GC.GetTotalPauseDuration();
            (List<TimeSpan> pauses, long bytes) = load.Run(length);
            _paused += (GC.GetTotalPauseDuration() - before).TotalSeconds;
            _seconds += length.TotalSeconds;
            _bytes += bytes;
            _milliseconds.AddRange(pauses.Select(pause => pause.TotalMilliseconds));
            for (int i = 0; i < 5; i++)
            {
                before = GC.GetTotalPauseDuration();
                GC.Collect(2, GCCollectionMode.Forced, blocking: true);
                _full.Add((GC.GetTotalPauseDuration() - before).TotalMilliseconds);
            }
        }

        public double Milliseconds(int percentile)
        {
            double[] sorted = [.. _milliseconds.Order()];
            return sorted[(int)((long)(sorted.Length - 1) * percentile / 100)];
        }
    }
}
