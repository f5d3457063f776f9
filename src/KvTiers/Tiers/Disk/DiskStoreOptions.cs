namespace KvTiers.Tiers.Disk;

/// <summary>Where and how a <see cref="DiskStore"/> keeps its records.</summary>
public sealed record DiskStoreOptions
{
    /// <summary>A folder of its own; created when missing.</summary>
    public required string Folder { get; init; }

    /// <summary>Room for records, in bytes; at least one record.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Bytes of a segment file, 1 MiB to 16 GiB. Default 256 MiB. Segments of another size are not read again.</summary>
    public long SegmentBytes { get; init; } = 256 << 20;

    /// <summary>Records after which what was written is forced to the device; 1 or more. Default 64.</summary>
    public int SyncEvery { get; init; } = 64;

    /// <summary>How long written records may wait for that at most; above zero. Default one second.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of its file system that the store leaves free for others when it grows; 0 or more. Null, the default: a twentieth of the file system, at most 1 GiB.</summary>
    public long? KeepFreeBytes { get; init; }

    /// <summary>How long a disk that has no room or does not work is left alone before it is looked at again; above zero. Default 30 seconds.</summary>
    public TimeSpan GrowthRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Transfers expected at once, 0 to 64. Default 8. Each blocks a thread of the process's pool, so opening a store raises the
    /// pool's minimum to this many above the number of processors; 0 leaves it as it is.
    /// </summary>
    public int ConcurrentTransfers { get; init; } = 8;

    /// <summary>Whether to go past the page cache where the file system allows it. Default true.</summary>
    public bool PreferDirect { get; init; } = true;

    /// <summary>How much of the file system of a folder is free; null = it does not say.</summary>
    internal Func<string, DiskSpace?> Space { get; init; } = DiskSpace.Of;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    internal void Validate(int recordBytes)
    {
        Check(!string.IsNullOrWhiteSpace(Folder), nameof(Folder), Folder, "not empty");
        Check(SegmentBytes is >= 1 << 20 and <= 16L << 30, nameof(SegmentBytes), SegmentBytes, "from 1 MiB to 16 GiB");
        Check(SegmentBytes >= recordBytes, nameof(SegmentBytes), SegmentBytes, $"at least one record ({recordBytes} bytes)");
        Check(CapacityBytes >= recordBytes, nameof(CapacityBytes), CapacityBytes, $"at least one record ({recordBytes} bytes)");
        Check(ConcurrentTransfers is >= 0 and <= 64, nameof(ConcurrentTransfers), ConcurrentTransfers, "from 0 to 64");
        Check(SyncEvery >= 1, nameof(SyncEvery), SyncEvery, "1 or more");
        Check(SyncInterval > TimeSpan.Zero, nameof(SyncInterval), SyncInterval, "above zero");
        Check(KeepFreeBytes is null or >= 0, nameof(KeepFreeBytes), KeepFreeBytes ?? 0, "0 or more");
        Check(GrowthRetry > TimeSpan.Zero, nameof(GrowthRetry), GrowthRetry, "above zero");
    }

    private static void Check(bool holds, string property, object value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
