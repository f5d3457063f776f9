using System.CommandLine;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Redis;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Tiers;

/// <summary>
/// <c>tiers</c>: bytes a second and latency of every tier and encoding, each in turns with the machine's own limit: a copy
/// in memory, O_DIRECT on the same file system, redis-benchmark against the same server.
/// </summary>
internal static class TiersCommand
{
    public static Command Create()
    {
        var output = ResultFile.Option();
        var folder = new Option<DirectoryInfo>("--disk")
        {
            Description = "Folder on the file system to measure.",
            DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-disk")),
        };
        var quick = new Option<bool>("--quick") { Description = "A quarter of the time and half of the sizes." };
        var only = new Option<string?>("--only") { Description = "One tier: ram, disk, redis, or codec." };
        var sizes = new Option<int[]>("--sizes") { Description = "Block sizes in KiB.", AllowMultipleArgumentsPerToken = true };
        var connections = new Option<int>("--redis-connections") { Description = "Connections for records.", DefaultValueFactory = _ => 2 };
        var command = new Command("tiers", "Measure bytes a second and latency of every tier and encoding beside the machine's limit.") { output, folder, quick, only, sizes, connections };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(output),
            new TiersPlan(parsed.GetRequiredValue(folder), parsed.GetValue(quick), parsed.GetValue(only), parsed.GetValue(sizes) is { Length: > 0 } given ? given : null)
            {
                RedisConnections = parsed.GetValue(connections),
            },
            cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? output, TiersPlan plan, CancellationToken cancel)
    {
        using var result = new TiersResult(output);
        using RedisProcess? redis = plan.Has("redis") && RedisProcess.IsAvailable ? new RedisProcess() : null;
        plan.Disk.Create();
        try
        {
            foreach (int blockBytes in plan.BlockBytes)
            {
                cancel.ThrowIfCancellationRequested();
                using var hot = new HotBlocks(HotBlocks.LayoutOf(blockBytes), plan.HotBytes, hashCount: 2 * (int)(plan.StoredBytes / blockBytes));
                if (blockBytes == plan.BlockBytes.First())
                    await CompileAsync(plan, hot);

                await CodecsAsync(plan, hot, result);
                await RamAsync(plan, hot, result);
                await DiskAsync(plan, hot, result);
                if (redis is not null)
                    await RedisAsync(plan, hot, redis, result);
            }
        }
        finally
        {
            plan.Disk.Delete(recursive: true);
        }

        result.SavePlots();
    }

    /// <summary>Runs what is hot until the runtime has compiled it for good.</summary>
    private static async Task CompileAsync(TiersPlan plan, HotBlocks hot)
    {
        foreach (BlockEncoding encoding in TiersPlan.Encodings)
        {
            foreach (bool decode in new[] { false, true })
                await new CodecLoad(hot, BlockCodec.Create(hot.Layout, encoding), decode).RunAsync(plan.Compiling, new Samples());
        }
    }

    private static async Task CodecsAsync(TiersPlan plan, HotBlocks hot, TiersResult result)
    {
        if (!plan.Has("codec"))
            return;

        using var target = CopyTarget(plan, hot);
        foreach (BlockEncoding encoding in TiersPlan.Encodings)
        {
            foreach (bool decode in new[] { false, true })
            {
                var codec = new CodecLoad(hot, BlockCodec.Create(hot.Layout, encoding), decode);
                Duel duel = await Duel.RunAsync(new MemoryCopyLoad(hot, target, nonTemporal: false), codec, plan.Rounds, plan.MemorySlice / 2);
                result.Add("codec", decode ? "decode" : "encode", encoding, hot.Layout.BytesPerBlock, 1, "memory copy", duel);
            }
        }
    }

    private static async Task RamAsync(TiersPlan plan, HotBlocks hot, TiersResult result)
    {
        if (!plan.Has("ram"))
            return;

        using var target = CopyTarget(plan, hot);
        foreach (BlockEncoding encoding in TiersPlan.Encodings)
        {
            var format = new BlockRecord(BlockCodec.Create(hot.Layout, encoding));
            await using var tier = new BlockTier("ram", format, new RamStore(format.RecordBytes, (long)target.Capacity * format.RecordBytes));
            foreach (bool put in new[] { true, false })
            {
                TierLoad load = await TierLoad.CreateAsync(tier, hot, target.Capacity, depth: 1, put);
                foreach (bool nonTemporal in encoding == BlockEncoding.Hot ? new[] { false, true } : [false])
                {
                    Duel duel = await Duel.RunAsync(new MemoryCopyLoad(hot, target, nonTemporal), load, plan.Rounds, plan.MemorySlice);
                    result.Add("ram", put ? "put" : "get", encoding, hot.Layout.BytesPerBlock, 1, nonTemporal ? "non-temporal copy" : "memory copy", duel);
                }
            }
        }
    }

    private static async Task DiskAsync(TiersPlan plan, HotBlocks hot, TiersResult result)
    {
        if (!plan.Has("disk"))
            return;

        string raw = Path.Combine(plan.Disk.FullName, "raw");
        if (!File.Exists(raw))
            RawDiskLoad.Fill(raw, plan.StoredBytes);

        foreach (BlockEncoding encoding in plan.EncodingsOutside(hot.Layout.BytesPerBlock))
        {
            var format = new BlockRecord(BlockCodec.Create(hot.Layout, encoding));
            int capacity = (int)(plan.StoredBytes / hot.Layout.BytesPerBlock);
            string folder = Path.Combine(plan.Disk.FullName, $"{hot.Layout.BytesPerBlock}-{encoding}");
            DiskStore store = DiskStore.Open(format, new DiskStoreOptions { Folder = folder, CapacityBytes = (long)capacity * format.RecordBytes });
            await using (var tier = new BlockTier("disk", format, store))
            {
                foreach (bool put in new[] { true, false })
                {
                    foreach (int depth in encoding == BlockEncoding.Hot ? TiersPlan.Depths : [TiersPlan.Depths[^1]])
                    {
                        TierLoad load = await TierLoad.CreateAsync(tier, hot, capacity, depth, put);
                        using var limit = new RawDiskLoad(raw, plan.StoredBytes, hot, depth, put);
                        Duel duel = await Duel.RunAsync(limit, load, plan.RoundsFor(encoding), plan.Slice);
                        result.Add("disk", put ? "put" : "get", encoding, hot.Layout.BytesPerBlock, depth, "O_DIRECT", duel);
                    }
                }
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RedisAsync(TiersPlan plan, HotBlocks hot, RedisProcess redis, TiersResult result)
    {
        int keys = (int)(plan.RedisBytes / hot.Layout.BytesPerBlock);
        await new RedisBenchmarkLoad(redis.Port, hot.Layout.BytesPerBlock, keys, depth: 1, put: true).FillAsync();
        foreach (BlockEncoding encoding in plan.EncodingsOutside(hot.Layout.BytesPerBlock))
        {
            var format = new BlockRecord(BlockCodec.Create(hot.Layout, encoding));
            RedisStore store = await RedisStore.ConnectAsync(format.RecordBytes, new RedisStoreOptions
            {
                Configuration = redis.Configuration,
                CapacityBytes = (long)keys * format.RecordBytes,
                Deadline = TimeSpan.FromSeconds(10),
                DataConnections = plan.RedisConnections,
            });
            await using var tier = new BlockTier("redis", format, store);
            foreach (bool put in new[] { true, false })
            {
                foreach (int depth in encoding == BlockEncoding.Hot ? TiersPlan.Depths : [TiersPlan.Depths[^1]])
                {
                    TierLoad load = await TierLoad.CreateAsync(tier, hot, keys, depth, put);
                    var limit = new RedisBenchmarkLoad(redis.Port, hot.Layout.BytesPerBlock, keys, depth, put);
                    Duel duel = await Duel.RunAsync(limit, load, plan.RoundsFor(encoding), plan.Slice);
                    result.Add("redis", put ? "put" : "get", encoding, hot.Layout.BytesPerBlock, depth, "redis-benchmark", duel);
                }
            }

            await tier.ClearAsync(CancellationToken.None);
        }
    }

    /// <summary>As many blocks as the tier holds, all resident.</summary>
    private static BlockPool CopyTarget(TiersPlan plan, HotBlocks hot)
    {
        var pool = new BlockPool(hot.Layout, (int)(plan.StoredBytes / hot.Layout.BytesPerBlock));
        for (int slot = 0; slot < pool.Capacity; slot++)
            hot.Memory[slot % hot.Count].Span.CopyTo(pool.Bytes(slot));

        return pool;
    }
}
