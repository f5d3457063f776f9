namespace KvTiers.Redis;

/// <summary>The changes that must be one: a record, its place in the order, and its time to live.</summary>
/// <remarks>
/// KEYS: the order, a sorted set of hashes whose score is the priority in the high bits and a counter of uses in the low
/// ones, so the lowest goes first; the counter; the expiries, a sorted set of the same hashes by time in milliseconds; and the
/// tenants, a map from hash to tenant. Beside that each tenant has an order of its own, whose key is the map's and the tenant.
/// Record keys are made from the prefix: all of it is for one server, not for a cluster of shards.
/// </remarks>
internal static class RedisScripts
{
    /// <summary>ARGV: prefix, hash, milliseconds to live, priority, records allowed, tenant. Returns the count, and the records evicted.</summary>
    /// <remarks>
    /// Follows a SET of the record on the same connection: a record of half a megabyte would be copied twice on its way through a script.
    /// Should the process end between the two, the record is outside the order, and goes when its time to live is over.
    /// </remarks>
    public const string Keep = Functions + """
        if redis.call('PEXPIRE', ARGV[1] .. ARGV[2], ARGV[3]) == 1 then
          redis.call('HSET', KEYS[4], ARGV[2], ARGV[6])
          use(ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[3]))
        end
        return trim(tonumber(ARGV[5]), 64)
        """;

    /// <summary>ARGV: prefix, hash, milliseconds to live. A use; the priority stays.</summary>
    public const string Touch = Functions + """
        local old = redis.call('ZSCORE', KEYS[1], ARGV[2])
        if old and redis.call('PEXPIRE', ARGV[1] .. ARGV[2], ARGV[3]) == 1 then
          use(ARGV[2], math.floor(tonumber(old) / 70368744177664), tonumber(ARGV[3]))
        end
        return 0
        """;

    /// <summary>ARGV: prefix, milliseconds to live, then hashes. No use. Returns how many were held.</summary>
    public const string Expire = Functions + """
        local held = 0
        for i = 3, #ARGV do
          if redis.call('PEXPIRE', ARGV[1] .. ARGV[i], ARGV[2]) == 1 then
            redis.call('ZADD', KEYS[3], now() + tonumber(ARGV[2]), ARGV[i])
            held = held + 1
          end
        end
        return held
        """;

    /// <summary>ARGV: prefix, then hashes. Returns how many were held, and the count.</summary>
    public const string Remove = Functions + """
        local removed = 0
        for i = 2, #ARGV do removed = removed + drop(ARGV[i]) end
        return {removed, redis.call('ZCARD', KEYS[1])}
        """;

    /// <summary>ARGV: prefix, records allowed, records evicted at most. Returns the count, and the records evicted.</summary>
    public const string Trim = Functions + """
        return trim(tonumber(ARGV[2]), tonumber(ARGV[3]))
        """;

    /// <summary>ARGV: prefix, tenant, records evicted at most. Returns the tenant's count, the records evicted, and the count of all.</summary>
    public const string EvictTenant = Functions + """
        expire()
        local order = KEYS[4] .. ':' .. ARGV[2]
        local evicted = 0
        local most = tonumber(ARGV[3])
        for _, hash in ipairs(most > 0 and redis.call('ZRANGE', order, 0, most - 1) or {}) do
          drop(hash)
          evicted = evicted + 1
        end
        return {redis.call('ZCARD', order), evicted, redis.call('ZCARD', KEYS[1])}
        """;

    private const string Functions = """
        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end
        local function drop(hash)
          redis.call('ZREM', KEYS[1], hash)
          redis.call('ZREM', KEYS[3], hash)
          local tenant = redis.call('HGET', KEYS[4], hash)
          if tenant then
            redis.call('HDEL', KEYS[4], hash)
            redis.call('ZREM', KEYS[4] .. ':' .. tenant, hash)
          end
          return redis.call('DEL', ARGV[1] .. hash)
        end
        local function use(hash, priority, live)
          local score = priority * 70368744177664 + redis.call('INCR', KEYS[2])
          redis.call('ZADD', KEYS[1], score, hash)
          local tenant = redis.call('HGET', KEYS[4], hash)
          if tenant then redis.call('ZADD', KEYS[4] .. ':' .. tenant, score, hash) end
          redis.call('ZADD', KEYS[3], now() + live, hash)
        end
        local function expire()
          for _, hash in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now(), 'LIMIT', 0, 256)) do drop(hash) end
        end
        local function trim(room, most)
          expire()
          local evicted = 0
          while evicted < most and redis.call('ZCARD', KEYS[1]) > room do
            drop(redis.call('ZRANGE', KEYS[1], 0, 0)[1])
            evicted = evicted + 1
          end
          return {redis.call('ZCARD', KEYS[1]), evicted}
        end

        """;
}
