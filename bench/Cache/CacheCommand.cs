using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Bench.Cache;

/// <summary><c>cache</c>: what the radix tree and the hashes cost, on trees of up to a million blocks.</summary>
internal static class CacheCommand
{
    private const int BlockSize = 16;
    private const int Repetitions = 5;
    private const int MillionBlocks = 1_000_000;

    // As little K and V as possible: the tree is measured, not memory.
    private static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 1, BlockSize: BlockSize);
    private static readonly BlockHash Root = BlockHash.Root("bench"u8, Layout, []);

    public static Command Create()
    {
        var output = ResultFile.Option();
        var command = new Command("cache", "Measure match, insert, eviction and hashing on trees of 10,000 to 1,000,000 blocks.") { output };
        command.SetAction(parsed => Run(parsed.GetValue(output)));
        return command;
    }

    private static void Run(DirectoryInfo? folder)
    {
        using var result = ResultFile.Create(folder, "cache", "operation", "blocks in the tree", "min", "median", "max", "unit");
        Add(result, "hash of a 16-token block, chained", 0, "ns/block", HashNanoseconds);

        int[] prefix = Tokens(seed: 1, 100_000);
        AddMatches(result, "100,000-token prefix, alone", prefix, otherBlocks: 0);
        AddMatches(result, "100,000-token prefix, among other conversations", prefix, otherBlocks: MillionBlocks - (prefix.Length / BlockSize));
        AddMatches(result, "one path of 10,000 blocks", Tokens(seed: 2, 10_000 * BlockSize), otherBlocks: 0);
        AddMatches(result, "one path of 1,000,000 blocks", Tokens(seed: 2, MillionBlocks * BlockSize), otherBlocks: 0);
        foreach (int blocks in new[] { 10_000, 100_000, MillionBlocks }) AddInsertAndEvict(result, blocks);
    }

    private static double HashNanoseconds()
    {
        const int Count = 100_000;
        int[] tokens = Tokens(seed: 3, BlockSize);
        BlockHash hash = Root;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Count; i++) hash = hash.Next(tokens);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Count;
    }

    private static void AddMatches(ResultFile result, string what, int[] prefix, int otherBlocks)
    {
        using KvCache cache = Open((prefix.Length / BlockSize) + otherBlocks);
        Fill(cache, otherBlocks, blocksAPath: 125);
        Insert(cache, prefix);
        int blocks = cache.Pool.Capacity - cache.Pool.FreeCount;
        Add(result, $"match: {what}", blocks, "ns/token", () => PerToken(prefix, () => Check(cache.Peek(Root, prefix).HotTokenCount, prefix.Length)));
        Add(result, $"match and lease: {what}", blocks, "ns/token", () => PerToken(prefix, () =>
        {
            using BlockLease lease = cache.Acquire(Root, prefix);
            Check(lease.TokenCount, prefix.Length);
        }));
    }

    private static void AddInsertAndEvict(ResultFile result, int blocks)
    {
        using KvCache cache = Open(blocks);
        Fill(cache, blocks, blocksAPath: 125);
        int seed = 1_000_000;
        const int Turns = 100;
        Add(result, "insert 125 blocks, evicting as many", blocks, "ns/block", () =>
        {
            long start = Stopwatch.GetTimestamp();
            for (int turn = 0; turn < Turns; turn++) Insert(cache, Tokens(seed++, 125 * BlockSize));
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / (Turns * 125);
        });
        Add(result, "evict", blocks, "ns/block", () =>
        {
            int wanted = cache.Pool.Capacity - (blocks / 20);
            int evicted = cache.Pool.Capacity - wanted;
            long start = Stopwatch.GetTimestamp();
            cache.Resize(wanted);
            double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / evicted;
            cache.Resize(blocks);
            Fill(cache, evicted, blocksAPath: 125, firstSeed: seed += evicted);
            return nanoseconds;
        });
    }

    private static KvCache Open(int blocks) => new(Layout, new KvCacheOptions { HotBlocks = blocks, Prefault = false });

    private static void Fill(KvCache cache, int blocks, int blocksAPath, int firstSeed = 10)
    {
        for (int path = 0; path < blocks / blocksAPath; path++) Insert(cache, Tokens(firstSeed + path, blocksAPath * BlockSize));
    }

    private static void Insert(KvCache cache, int[] tokens)
    {
        using BlockLease lease = cache.Acquire(Root, tokens);
        if (!cache.TryReserve(lease, tokens.Length - lease.TokenCount)) throw new InvalidOperationException("The pool is too small.");
        cache.Append(lease, tokens.AsSpan(lease.TokenCount));
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) tokens[i] = random.Next(50_000);
        return tokens;
    }

    private static double PerToken(int[] prefix, Action match)
    {
        int count = Math.Max(1, 2_000_000 / prefix.Length);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++) match();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / ((double)count * prefix.Length);
    }

    private static void Check(int found, int wanted)
    {
        if (found != wanted) throw new InvalidOperationException($"{found} of {wanted} tokens were found.");
    }

    private static void Add(ResultFile result, string operation, int blocks, string unit, Func<double> measure)
    {
        measure();
        double[] values = [.. Enumerable.Range(0, Repetitions).Select(_ => measure()).Order()];
        result.Add(operation, blocks, values[0], values[Repetitions / 2], values[^1], unit);
    }
}
