namespace KvTiers.Redis;

/// <summary>How a <see cref="RedisStore"/> uses its server.</summary>
public sealed record RedisStoreOptions
{
    /// <summary>Server addresses and settings in StackExchange.Redis's own form, such as <c>127.0.0.1:6379,password=…</c>.</summary>
    public required string Configuration { get; init; }

    /// <summary>Room for records over all processes that share the server, in bytes; at least one record. They must agree on it.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Begins every key. Default <c>kvt:3:</c>, the version of keys and records in it.</summary>
    public string KeyPrefix { get; init; } = "kvt:3:";

    /// <summary>
    /// Parts that the tier falls into, each with its share of the capacity and an order of eviction of its own: a power of two, 1 to 1,024. Null, the default:
    /// 1 on one server; in a Redis Cluster 64, which its nodes share, or fewer where a part would have room for less than 32 records. Processes that share the
    /// server must agree on it, and so on such a small capacity.
    /// </summary>
    public int? Shards { get; init; }

    /// <summary>How long a record stays after its last use, when nobody says otherwise. One second to 30 days. Default one hour.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long any call may take. 10 ms to 60 s. Default 500 ms.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Connections that records travel on, beside the one for everything else. 1 to 16. Default 2.</summary>
    public int DataConnections { get; init; } = 2;

    /// <summary>
    /// Bytes of records that are asked for at one time by all readers, at least one record; 64 KiB to 1 GiB. Default 8 MiB. It
    /// bounds the buffers of what the client has received and nobody has taken yet. A server that is far away wants more.
    /// </summary>
    public int ReadBytesAtOnce { get; init; } = 8 << 20;

    /// <summary>Faults in a row after which the server is left alone for a while. 1 to 1,000. Default 5.</summary>
    public int FaultsToOpen { get; init; } = 5;

    /// <summary>How long it is left alone before one call tries again. 10 ms to 10 min. Default 2 s.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Is told in a sentence when what the tier keeps books in was replaced or emptied by somebody else, and was mended; at most once a minute. Null: nobody is.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate(int recordBytes)
    {
        Check(!string.IsNullOrWhiteSpace(Configuration), nameof(Configuration), "empty", "a server's address");
        Check(CapacityBytes >= recordBytes, nameof(CapacityBytes), CapacityBytes, $"at least one record ({recordBytes} bytes)");
        Check(!string.IsNullOrEmpty(KeyPrefix), nameof(KeyPrefix), "empty", "not empty");
        Check(!KeyPrefix.Contains('{', StringComparison.Ordinal), nameof(KeyPrefix), KeyPrefix, "without a '{', as keys have a hash tag of their own");
        Check(Shards is null || (Shards is >= 1 and <= RedisShards.Most && int.IsPow2(Shards.Value)), nameof(Shards), Shards!, "a power of two from 1 to 1024");
        Check(TimeToLive >= TimeSpan.FromSeconds(1) && TimeToLive <= TimeSpan.FromDays(30), nameof(TimeToLive), TimeToLive, "from one second to 30 days");
        Check(Deadline >= TimeSpan.FromMilliseconds(10) && Deadline <= TimeSpan.FromSeconds(60), nameof(Deadline), Deadline, "from 10 ms to 60 s");
        Check(DataConnections is >= 1 and <= 16, nameof(DataConnections), DataConnections, "from 1 to 16");
        Check(ReadBytesAtOnce is >= 64 << 10 and <= 1 << 30, nameof(ReadBytesAtOnce), ReadBytesAtOnce, "from 64 KiB to 1 GiB");
        Check(FaultsToOpen is >= 1 and <= 1000, nameof(FaultsToOpen), FaultsToOpen, "from 1 to 1000");
        Check(RetryAfter >= TimeSpan.FromMilliseconds(10) && RetryAfter <= TimeSpan.FromMinutes(10), nameof(RetryAfter), RetryAfter, "from 10 ms to 10 min");
    }

    private static void Check(bool holds, string property, object value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
