using KvTiers.Keys;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tiers;

/// <summary>One tier below the hot one: where its records lie, and when blocks go there and come back.</summary>
public sealed record TierOptions
{
    /// <summary>"ram", "disk", "redis": the tier's name in metrics, receipts and settings.</summary>
    public required string Name { get; init; }

    /// <summary>Opens the store for records of a format. The cache disposes it.</summary>
    public required Func<BlockRecord, TimeProvider, ValueTask<IRecordStore>> Open { get; init; }

    /// <summary>How blocks are encoded. Default as they are.</summary>
    public BlockEncoding Encoding { get; init; }

    /// <summary>
    /// The keys of records that leave the process. Null, the default: records have checksums, which find damage; whoever can write the store writes what is read.
    /// </summary>
    public RecordProtection? Protection { get; init; }

    /// <summary>When blocks are copied to it. Default on demotion.</summary>
    public WritePolicy WritePolicy { get; init; }

    /// <summary>
    /// Whether a block that is promoted leaves the tier, so that no room is spent twice. False keeps the copy, and saves
    /// writing it again. Default true.
    /// </summary>
    public bool Exclusive { get; init; } = true;

    /// <summary>
    /// Whether blocks are handed over where they lie, on the thread that hands them over, without a queue; null, the default, where the store says that
    /// its calls complete at once (<see cref="IRecordStore.IsInPlace"/>).
    /// </summary>
    public bool? InPlace { get; init; }

    /// <summary>Whether others use the tier too, so that a superseded block is left to expire instead of being removed.</summary>
    public bool Shared { get; init; }

    /// <summary>How long a block stays after its last use; null for as long as there is room. Above zero.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>How long a superseded block stays in a shared tier. Above zero. Default one minute.</summary>
    public TimeSpan SupersededTimeToLive { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a call of the store may take before the tier is left alone for a while. Above zero. Default two seconds.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Blocks that may wait to be written; 1 to 4,096. One more waits for room. Null, the default: as many as 32 MiB hold, from 64 to 1,024.</summary>
    public int? WriteQueueBlocks { get; init; }

    /// <summary>Writes under way at once; 1 to 64. Default 2.</summary>
    public int WriteConcurrency { get; init; } = 2;

    /// <summary>Reads under way at once for one promotion; 1 to 64. Default 4.</summary>
    public int ReadConcurrency { get; init; } = 4;

    /// <summary>A tier in this process's memory.</summary>
    public static TierOptions Ram(long capacityBytes) => new()
    {
        Name = "ram",
        Open = (format, time) => ValueTask.FromResult<IRecordStore>(new RamStore(format.RecordBytes, capacityBytes, time)),
    };

    /// <summary>A tier in a folder of its own. Copies stay there, also over a restart.</summary>
    public static TierOptions Disk(DiskStoreOptions options) => new()
    {
        Name = "disk",
        Open = (format, time) => ValueTask.FromResult<IRecordStore>(DiskStore.Open(format, options, time)),
        Exclusive = false,
    };

    /// <summary>A tier over a store that is open.</summary>
    public static TierOptions Over(string name, IRecordStore store) => new() { Name = name, Open = (_, _) => ValueTask.FromResult(store) };

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Name);
        ArgumentNullException.ThrowIfNull(Open);
        Check(Enum.IsDefined(WritePolicy), nameof(WritePolicy), WritePolicy, "OnDemote, OnSecondUse or OnSeal");
        Check(TimeToLive is null || TimeToLive > TimeSpan.Zero, nameof(TimeToLive), TimeToLive, "above zero");
        Check(SupersededTimeToLive > TimeSpan.Zero, nameof(SupersededTimeToLive), SupersededTimeToLive, "above zero");
        Check(Deadline > TimeSpan.Zero, nameof(Deadline), Deadline, "above zero");
        Check(WriteQueueBlocks is null or (>= 1 and <= 4096), nameof(WriteQueueBlocks), WriteQueueBlocks, "from 1 to 4096");
        Check(WriteConcurrency is >= 1 and <= 64, nameof(WriteConcurrency), WriteConcurrency, "from 1 to 64");
        Check(ReadConcurrency is >= 1 and <= 64, nameof(ReadConcurrency), ReadConcurrency, "from 1 to 64");
    }

    private void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} of tier '{Name}' is {value}; it must be {rule}.", property);
    }
}
