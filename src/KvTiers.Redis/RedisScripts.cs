namespace KvTiers.Redis;

/// <summary>The changes that must be one: a record, its place in the order, and its time to live.</summary>
/// <remarks>
/// Every script is for one part of the tier (<see cref="RedisShards"/>), and touches the keys that it is given and no others. KEYS 1 to 5 are the part's index:
/// the order, a sorted set of hashes whose score is the priority in the high bits and a counter of uses in the low ones, so the lowest goes first; the counter;
/// the expiries, a sorted set of the same hashes by time in milliseconds; the tenants, a map from hash to tenant; and the places, a sorted set of
/// <c>tenant:score:hash</c> by text, in which each tenant's hashes follow one another in the order.
/// So what is evicted must be named by who asks: scripts tell what is next, as hashes with their scores, and evict what they are told if its score is still the same.
/// </remarks>
internal static class RedisScripts
{
    /// <summary>
    /// KEYS 6: the record; 7, …: the records named. ARGV: hash, milliseconds to live, priority, tenant, records allowed, how many to tell; hash and score of each
    /// record named. Returns the count, the records evicted, and hash and score of those that are next.
    /// </summary>
    /// <remarks>
    /// Follows a SET of the record on the same connection: a record of half a megabyte would be copied twice on its way through a script.
    /// Should the process end between the two, the record is outside the order, and goes when its time to live is over.
    /// </remarks>
    public const string Keep = Functions + """
        if redis.call('PEXPIRE', KEYS[6], ARGV[2]) == 1 then
          use(ARGV[1], redis.call('ZSCORE', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[4], ARGV[1]), ARGV[4], tonumber(ARGV[3]), tonumber(ARGV[2]))
        end
        expire()
        return evict(tonumber(ARGV[5]), tonumber(ARGV[6]), 7, 7)
        """;

    /// <summary>KEYS 6: the record. ARGV: hash, milliseconds to live. A use; the priority stays.</summary>
    public const string Touch = Functions + """
        local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
        if old and redis.call('PEXPIRE', KEYS[6], ARGV[2]) == 1 then
          local tenant = redis.call('HGET', KEYS[4], ARGV[1])
          use(ARGV[1], old, tenant, tenant or '0', math.floor(tonumber(old) / 70368744177664), tonumber(ARGV[2]))
        end
        return 0
        """;

    /// <summary>KEYS 6, …: records. ARGV: milliseconds to live, then their hashes. No use. Returns how many were held.</summary>
    public const string Expire = Functions + """
        local held = 0
        for i = 2, #ARGV do
          if redis.call('PEXPIRE', KEYS[i + 4], ARGV[1]) == 1 then
            redis.call('ZADD', KEYS[3], now() + tonumber(ARGV[1]), ARGV[i])
            held = held + 1
          end
        end
        return held
        """;

    /// <summary>KEYS 6, …: records. ARGV: their hashes. Returns how many were held, and the count.</summary>
    public const string Remove = Functions + """
        local removed = 0
        for i = 1, #ARGV do
          forget(ARGV[i])
          removed = removed + redis.call('DEL', KEYS[i + 5])
        end
        return {removed, redis.call('ZCARD', KEYS[1])}
        """;

    /// <summary>
    /// KEYS 6, …: the records named. ARGV: records allowed, how many to tell; hash and score of each record named. Returns the count, the records evicted, and
    /// hash and score of those that are next.
    /// </summary>
    public const string Evict = Functions + """
        expire()
        return evict(tonumber(ARGV[1]), tonumber(ARGV[2]), 3, 6)
        """;

    /// <summary>ARGV: tenant, how many to tell. Returns the tenant's count, 0, and hash and score of those of its records that are next.</summary>
    public const string Tenant = Functions + """
        expire()
        local first, last = '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';'
        local answer = {redis.call('ZLEXCOUNT', KEYS[5], first, last), 0}
        for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], first, last, 'LIMIT', 0, tonumber(ARGV[2]))) do
          local hash = string.match(place, ':([^:]*)$')
          answer[#answer + 1] = hash
          answer[#answer + 1] = redis.call('ZSCORE', KEYS[1], hash)
        end
        return answer
        """;

    private const string Functions = """
        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end
        local function place(tenant, score, hash)
          return tenant .. ':' .. string.format('%016.0f', tonumber(score)) .. ':' .. hash
        end
        local function forget(hash)
          local score = redis.call('ZSCORE', KEYS[1], hash)
          local tenant = redis.call('HGET', KEYS[4], hash)
          if score and tenant then redis.call('ZREM', KEYS[5], place(tenant, score, hash)) end
          redis.call('ZREM', KEYS[1], hash)
          redis.call('ZREM', KEYS[3], hash)
          redis.call('HDEL', KEYS[4], hash)
        end
        local function use(hash, old, was, tenant, priority, live)
          if old and was then redis.call('ZREM', KEYS[5], place(was, old, hash)) end
          local score = priority * 70368744177664 + redis.call('INCR', KEYS[2])
          redis.call('ZADD', KEYS[1], score, hash)
          redis.call('ZADD', KEYS[3], now() + live, hash)
          if was ~= tenant then redis.call('HSET', KEYS[4], hash, tenant) end
          redis.call('ZADD', KEYS[5], 0, place(tenant, score, hash))
        end
        local function expire()
          for _, hash in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now(), 'LIMIT', 0, 256)) do forget(hash) end
        end
        local function evict(room, most, argument, key)
          local evicted = 0
          while ARGV[argument] do
            if redis.call('ZCARD', KEYS[1]) > room and redis.call('ZSCORE', KEYS[1], ARGV[argument]) == ARGV[argument + 1] then
              forget(ARGV[argument])
              redis.call('DEL', KEYS[key])
              evicted = evicted + 1
            end
            argument, key = argument + 2, key + 1
          end
          local count = redis.call('ZCARD', KEYS[1])
          local answer = {count, evicted}
          if most > 0 and count >= room then
            for _, next in ipairs(redis.call('ZRANGE', KEYS[1], 0, math.min(count - room + 4, most) - 1, 'WITHSCORES')) do answer[#answer + 1] = next end
          end
          return answer
        end

        """;
}
