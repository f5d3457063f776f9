using KvTiers.Keys;

namespace KvTiers.Sessions.Redis;

/// <summary>How a <see cref="RedisConversationStore"/> uses its server.</summary>
public sealed record RedisConversationStoreOptions
{
    /// <summary>Server addresses and settings in StackExchange.Redis's own form, such as <c>127.0.0.1:6379,password=…</c>.</summary>
    public required string Configuration { get; init; }

    /// <summary>Begins every key. Default <c>kvc:1:</c>, the format's version in it.</summary>
    public string KeyPrefix { get; init; } = "kvc:1:";

    /// <summary>How long a conversation stays after its last change; one minute at least. Null, the default: until it is deleted.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>How long any call may take, with its repetitions. 10 ms to 60 s. Default 2 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Records after which a conversation's changes are replaced by its state. 2 to 10,000. Default 64.</summary>
    public int CompactAfterRecords { get; init; } = 64;

    /// <summary>The keys of records. Null, the default: they have checksums, which find damage; whoever can write the server writes what is read.</summary>
    public RecordProtection? Protection { get; init; }

    /// <summary>
    /// Whether records without a seal are read although there are keys: those of before. A conversation that has one is written anew, sealed, when it is read.
    /// Default false.
    /// </summary>
    public bool AcceptUnsigned { get; init; }

    /// <summary>Is told in a sentence when what the store keeps lists in was replaced or emptied by somebody else, and was mended; at most once a minute. Null: nobody is.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>How long an id stays listed after its conversation was not found: far longer than a call that listed it may take to store the conversation.</summary>
    internal TimeSpan UnlistAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        Check(!string.IsNullOrWhiteSpace(Configuration), nameof(Configuration), "empty", "a server's address");
        Check(!string.IsNullOrEmpty(KeyPrefix), nameof(KeyPrefix), "empty", "not empty");
        Check(TimeToLive is null || TimeToLive >= TimeSpan.FromMinutes(1), nameof(TimeToLive), TimeToLive, "at least one minute");
        Check(Deadline >= TimeSpan.FromMilliseconds(10) && Deadline <= TimeSpan.FromSeconds(60), nameof(Deadline), Deadline, "from 10 ms to 60 s");
        Check(CompactAfterRecords is >= 2 and <= 10_000, nameof(CompactAfterRecords), CompactAfterRecords, "from 2 to 10000");
    }

    private static void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
