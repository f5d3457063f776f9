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

    /// <summary>KEYS 6: the record. ARGV: hash, milliseconds to live. A use; the priority stays. A record that is in no book is entered.</summary>
    public const string Touch = Functions + """
        local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
        if redis.call('PEXPIRE', KEYS[6], ARGV[2]) == 1 then
          local tenant = redis.call('HGET', KEYS[4], ARGV[1])
          if old and tenant then
            use(ARGV[1], old, tenant, tenant, math.floor(tonumber(old) / 70368744177664), tonumber(ARGV[2]))
          else
            adopt(ARGV[1], KEYS[6])
          end
        end
        return 0
        """;

    /// <summary>What <see cref="Check"/> says of books that are gone, which happens to whoever is emptied.</summary>
    public const string Emptied = "they were emptied";

    /// <summary>
    /// ARGV: the records that the caller last heard of. Looks whether the books are of their types, hold numbers in their ranges, and agree on how many records
    /// there are; deletes all of them when not. Returns what is wrong, or nothing.
    /// </summary>
    public const string Check = """
        local kinds, wrong = {'zset', 'string', 'zset', 'hash', 'zset'}, ''
        for i = 1, 5 do
          local kind = redis.call('TYPE', KEYS[i]).ok
          if kind ~= 'none' and kind ~= kinds[i] then wrong = KEYS[i] .. ' is a ' .. kind end
        end
        if wrong == '' then
          local count, uses = redis.call('ZCARD', KEYS[1]), redis.call('GET', KEYS[2])
          if count ~= redis.call('ZCARD', KEYS[3]) or count ~= redis.call('HLEN', KEYS[4]) or count ~= redis.call('ZCARD', KEYS[5]) then
            wrong = 'they do not agree'
          elseif not uses then
            if count > 0 or tonumber(ARGV[1]) > 0 then wrong = 'they were emptied' end
          elseif not string.match(uses, '^%d+$') or #uses > 15 or tonumber(uses) >= 70368744177664 then
            wrong = KEYS[2] .. ' is no counter'
          elseif count > 0 then
            local first, last = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES'), redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
            if not (tonumber(first[2]) >= 0 and tonumber(last[2]) < 16 * 70368744177664) then wrong = KEYS[1] .. ' has scores that are none' end
            last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
            if not (tonumber(last[2]) < 9007199254740992) then wrong = KEYS[3] .. ' has times that are none' end
          end
        end
        if wrong ~= '' then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]) end
        return wrong
        """;

    /// <summary>KEYS 6, …: records. ARGV: their hashes. Enters those that are in no book. Returns how many records there are among them.</summary>
    public const string Adopt = Functions + """
        local records = 0
        for i = 1, #ARGV do
          if redis.call('ZSCORE', KEYS[1], ARGV[i]) or adopt(ARGV[i], KEYS[i + 5]) then records = records + 1 end
        end
        return records
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
          forget(ARGV[i], redis.call('ZSCORE', KEYS[1], ARGV[i]))
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
        local clock
        local function now()
          if not clock then
            local time = redis.call('TIME')
            clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
          end
          return clock
        end
        local function place(tenant, score, hash)
          return tenant .. ':' .. string.format('%016.0f', tonumber(score)) .. ':' .. hash
        end
        local function forget(hash, score)
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
        local function adopt(hash, key)
          local live = redis.call('PTTL', key)
          if live == -1 or redis.call('TYPE', key).ok ~= 'string' then
            redis.call('DEL', key)
            return false
          end
          if tostring(redis.call('STRLEN', key)) ~= string.match(KEYS[1], '(%d+)$') then return false end
          local priority, tenant = struct.unpack('<i4i4', redis.call('GETRANGE', key, 72, 79))
          use(hash, redis.call('ZSCORE', KEYS[1], hash), redis.call('HGET', KEYS[4], hash), string.format('%.0f', tenant), math.max(0, math.min(15, priority)), live)
          return true
        end
        local function expire()
          for _, hash in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now(), 'LIMIT', 0, 256)) do forget(hash, redis.call('ZSCORE', KEYS[1], hash)) end
        end
        local function evict(room, most, argument, key)
          local evicted = 0
          while ARGV[argument] do
            if redis.call('ZCARD', KEYS[1]) > room and redis.call('ZSCORE', KEYS[1], ARGV[argument]) == ARGV[argument + 1] then
              forget(ARGV[argument], ARGV[argument + 1])
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
