using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using KvTiers.Bench.Reporting;
using KvTiers.Keys;
using KvTiers.Redis;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Tiers;

/// <summary>
/// <c>protection</c>: bytes a second of each tier whose records leave the process, with authentication codes, and encrypted, each in turns with
/// checksums alone, several times in one run.
/// </summary>
internal static class ProtectionCommand
{
    private static readonly string[] Kinds = ["checksum", "authentic", "encrypted"];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var folder = new Option<DirectoryInfo>("--disk")
        {
            Description = "Folder on the file system to measure.",
            DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-protection")),
        };
        var times = new Option<int>("--times") { Description = "How often each pair is measured.", DefaultValueFactory = _ => 3 };
        var sizes = new Option<int[]>("--sizes") { Description = "Block sizes in KiB.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [128, 512, 1024] };
        var command = new Command("protection", "Measure what authentication and encryption of records cost each tier.") { output, folder, times, sizes };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(output), parsed.GetRequiredValue(folder), parsed.GetValue(times), parsed.GetRequiredValue(sizes), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? output, DirectoryInfo folder, int times, int[] sizes, CancellationToken cancel)
    {
        using ResultFile result = ResultFile.Create(output, "protection", "tier", "operation", "block_kib", "depth", "time", "kind", "gb_s", "p50_us", "beside", "beside_gb_s", "beside_p50_us", "ratio");
        var plan = new TiersPlan(folder, Quick: false, Only: null, sizes);
        using RedisProcess? redis = RedisProcess.IsAvailable ? new RedisProcess() : null;
        foreach (int blockBytes in plan.BlockBytes)
        {
            using var hot = new HotBlocks(HotBlocks.LayoutOf(blockBytes), plan.HotBytes, hashCount: 2 * (int)(plan.StoredBytes / blockBytes));
            folder.Create();
            try
            {
                await MeasureAsync("disk", plan, hot, (int)(plan.StoredBytes / 2 / blockBytes), times, result, (kind, format, capacity) => Task.FromResult<IRecordStore>(DiskStore.Open(
                    format, new DiskStoreOptions { Folder = Path.Combine(folder.FullName, $"{blockBytes}-{kind}"), CapacityBytes = (long)capacity * format.RecordBytes })), cancel);
            }
            finally
            {
                folder.Delete(recursive: true);
            }

            if (redis is null)
                continue;
            await MeasureAsync("redis", plan, hot, (int)(plan.RedisBytes / blockBytes), times, result, async (kind, format, capacity) => await RedisStore.ConnectAsync(format.RecordBytes, new RedisStoreOptions
            {
                Configuration = redis.Configuration,
                CapacityBytes = (long)capacity * format.RecordBytes,
                KeyPrefix = $"{blockBytes}-{kind}:",
                Deadline = TimeSpan.FromSeconds(10),
            }), cancel);
        }
    }

    private static async Task MeasureAsync(
        string name, TiersPlan plan, HotBlocks hot, int capacity, int times, ResultFile result, Func<string, BlockRecord, int, Task<IRecordStore>> open, CancellationToken cancel)
    {
        var keys = new KeyRing(new RecordKey(RandomNumberGenerator.GetBytes(RecordKey.ByteCount)));
        var tiers = new List<BlockTier>();
        try
        {
            foreach (string kind in Kinds)
            {
                var format = new BlockRecord(hot.Layout, BlockEncoding.Hot, kind == "checksum" ? null : new RecordProtection(keys) { Encrypts = kind == "encrypted" });
                tiers.Add(new BlockTier(name, format, await open(kind, format, capacity)));
            }

            foreach (bool put in new[] { true, false })
            {
                foreach (int depth in TiersPlan.Depths)
                {
                    TierLoad[] loads = await Task.WhenAll(tiers.Select(tier => TierLoad.CreateAsync(tier, hot, capacity, depth, put)));
                    for (int time = 1; time <= times; time++)
                    {
                        cancel.ThrowIfCancellationRequested();
                        for (int kind = 1; kind < Kinds.Length; kind++)
                        {
                            Duel duel = await Duel.RunAsync(loads[0], loads[kind], plan.Rounds, plan.Slice);
                            result.Add(
                                name, put ? "put" : "get", hot.Layout.BytesPerBlock >> 10, depth, time.ToString(CultureInfo.InvariantCulture), Kinds[kind], duel.Load.BytesPerSecond / 1e9, duel.Load.Microseconds(50),
                                Kinds[0], duel.Limit.BytesPerSecond / 1e9, duel.Limit.Microseconds(50), duel.Ratio);
                        }
                    }
                }
            }
        }
        finally
        {
            foreach (BlockTier tier in tiers)
                await tier.DisposeAsync();
        }
    }
}
