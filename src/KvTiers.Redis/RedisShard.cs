using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>One part of a tier (<see cref="RedisShards"/>): its keys, and what this process last heard of it.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class RedisShard(int number, int of, string prefix, int recordBytes)
{
    private const int HashDigits = 64;

    private long _count = -1;
    private volatile RedisValue[] _next = [];

    /// <summary>The keys that every script has first; <see cref="RedisScripts"/> says what they are.</summary>
    public RedisKey[] Index { get; } = [.. new[] { "order", "uses", "expiries", "tenants", "places" }.Select(name => (RedisKey)$"{prefix}{name}:{recordBytes}")];

    /// <summary>Held by whoever looks at the part's books and mends them.</summary>
    public SemaphoreSlim Mending { get; } = new(1, 1);

    /// <summary>A pattern for the keys of the part's records; other keys of the part have it too.</summary>
    public string PatternOfRecords { get; } = string.Concat(prefix.Select(c => c is '*' or '?' or '[' or ']' or '\\' ? $"\\{c}" : $"{c}")) + "*";

    /// <summary>A key of the part's slot.</summary>
    public RedisKey Slot => Index[0];

    /// <summary>Records, as of the last answer.</summary>
    public long Count => Math.Max(0, Interlocked.Read(ref _count));

    /// <summary>Hash and score, in turns, of the records that went next, as of the last answer.</summary>
    public RedisValue[] Next => _next;

    /// <summary>A record's key.</summary>
    public RedisKey KeyOf(string hash) => prefix + hash;

    /// <summary>The hash of the record under a key; null = it is no record's.</summary>
    public string? NameOf(RedisKey key)
    {
        string text = key.ToString();
        return text.Length == prefix.Length + HashDigits && text.StartsWith(prefix, StringComparison.Ordinal) && text.AsSpan(prefix.Length).IndexOfAnyExceptInRange('0', 'f') < 0
            ? text[prefix.Length..]
            : null;
    }

    /// <summary>The keys of records that are told as hash and score.</summary>
    public IEnumerable<RedisKey> KeysOf(RedisValue[] named) => named.Where((_, i) => i % 2 == 0).Select(hash => KeyOf(hash!));

    /// <summary>The part's share of a room for so many records. The shares add up to the whole.</summary>
    public long ShareOf(long records) => (records / of) + (number < records % of ? 1 : 0);

    /// <summary>Takes in what a script told.</summary>
    public void Note(ShardAnswer answer)
    {
        NoteCount(answer.Count);
        _next = answer.Next;
    }

    /// <inheritdoc cref="Note"/>
    public void NoteCount(long count) => Interlocked.Exchange(ref _count, count);

    /// <summary>Takes in a count that may be older than what was told since.</summary>
    public void NoteFirstCount(long count) => Interlocked.CompareExchange(ref _count, count, -1);
}
