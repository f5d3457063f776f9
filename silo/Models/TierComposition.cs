using KvTiers.Blocks;
using KvTiers.Redis;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Silo.Models;

/// <summary>Stacks the colder tiers that the settings ask for: RAM, then disk, then Redis, each in its own format.</summary>
internal static class TierComposition
{
    /// <param name="options">The settings.</param>
    /// <param name="hot">The hot tier.</param>
    /// <param name="layout">The model's blocks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="decorate">Goes around each store; null for nothing.</param>
    /// <param name="budgetOf">What a tenant's blocks may take up; null for what the settings say of all.</param>
    /// <param name="report">Is told what an operator should know, in a sentence.</param>
    /// <returns>Null when neither a tier nor a budget is asked for.</returns>
    /// <exception cref="StartException">A tier is too small for one block of the model, or its place cannot be used.</exception>
    public static async Task<TieredCache?> OpenAsync(
        SiloOptions options, KvCacheOptions hot, BlockLayout layout, TimeProvider time, StoreDecorator? decorate = null, Func<string, long?>? budgetOf = null, Action<string>? report = null)
    {
        decorate ??= static (_, store) => store;
        var tiers = new List<TierOptions>();
        TierOptions Tier(string name, string key, long bytes, BlockEncoding encoding, Func<BlockRecord, ValueTask<IRecordStore>> open)
        {
            BlockRecord format = Format($"KvTiers:{key}Format", encoding, layout);
            CheckRoom(name == "redis" ? "KvTiers:RedisBytes" : $"KvTiers:{key}", bytes, format);
            return new TierOptions { Name = name, Encoding = encoding, Open = async (record, _) => decorate(name, await open(record)) };
        }

        if (options.RamBytes > 0)
            tiers.Add(Tier("ram", "Ram", options.RamBytes, options.RamFormat, format => TierOptions.Ram(options.RamBytes).Open(format, time)));
        if (options.DiskBytes > 0)
        {
            TierOptions disk = Tier("disk", "Disk", options.DiskBytes, options.DiskFormat, format => OpenDisk(options, format, time));
            tiers.Add(disk with { WritePolicy = options.DiskWrite, Exclusive = false, Protection = RecordKeys.ForDisk(options) });
        }

        if (options.Redis is not null)
        {
            TierOptions redis = Tier("redis", "Redis", options.RedisBytes, options.RedisFormat, async format => await ConnectAsync(options, format, time, report));
            tiers.Add(redis with { WritePolicy = options.RedisWrite, Exclusive = false, Shared = true, Protection = RecordKeys.ForRedis(options) });
        }

        if (tiers.Count == 0 && options.TenantBytes == 0 && budgetOf is null) return null;
        long? budget = options.TenantBytes == 0 ? null : options.TenantBytes;
        var all = new TieredCacheOptions { Hot = hot, Tiers = tiers, Promotion = options.Promotion, TenantBudgetBytes = budget, TenantBudgetOf = budgetOf, Watermarks = tiers.Count == 0 ? null : options.Watermarks };
        return await TieredCache.OpenAsync(layout, all, time);
    }

    private static ValueTask<IRecordStore> OpenDisk(SiloOptions options, BlockRecord format, TimeProvider time)
    {
        string folder = Path.Combine(options.Data, "blocks");
        try
        {
            // A tier smaller than a segment takes no more of the disk than it may hold.
            long segmentBytes = Math.Clamp(options.DiskBytes, Math.Max(1 << 20, format.RecordBytes), 256 << 20);
            return TierOptions.Disk(new DiskStoreOptions { Folder = folder, CapacityBytes = options.DiskBytes, SegmentBytes = segmentBytes, KeepFreeBytes = options.DiskKeepFreeBytes }).Open(format, time);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException($"The disk tier in '{folder}' cannot be used: {e.Message}", e);
        }
    }

    private static async Task<RedisStore> ConnectAsync(SiloOptions options, BlockRecord format, TimeProvider time, Action<string>? report)
    {
        try
        {
            return await RedisStore.ConnectAsync(
                format.RecordBytes,
                new RedisStoreOptions
                {
                    Configuration = options.Redis!,
                    CapacityBytes = options.RedisBytes,
                    Deadline = options.RedisDeadline,
                    ReadBytesAtOnce = (int)options.RedisReadAtOnceBytes,
                    Report = report,
                },
                time);
        }
        catch (ArgumentException e)
        {
            throw new StartException(new SettingError("KvTiers:Redis", options.Redis!, $"a server's address such as 127.0.0.1:6379 ({Redacted.Message(e.Message, options.Redis)})").ToString());
        }
    }

    private static BlockRecord Format(string key, BlockEncoding encoding, BlockLayout layout)
    {
        try
        {
            return new BlockRecord(layout, encoding);
        }
        catch (ArgumentException e)
        {
            throw new StartException(new SettingError(key, encoding.ToString(), $"hot or bf16 for this model ({e.Message})").ToString());
        }
    }

    private static void CheckRoom(string key, long bytes, BlockRecord format)
    {
        if (bytes < format.RecordBytes)
            throw new StartException(new SettingError(key, ByteSize.Format(bytes), $"at least one block of this model, {ByteSize.Format(format.RecordBytes)}").ToString());
    }
}
