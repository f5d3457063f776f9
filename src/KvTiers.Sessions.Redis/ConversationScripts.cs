namespace KvTiers.Sessions.Redis;

/// <summary>The changes of a stored conversation that must be one.</summary>
/// <remarks>
/// A conversation is one hash: <c>i</c> its incarnation, <c>n</c> its version number, <c>f</c> the number of its first record, and under each number from
/// f to n a record. One key, so that it is there or gone as a whole, and on one node. The ids of a tenant are a set elsewhere, and beside it, in the same hash
/// slot, the doubted ones: a sorted set of ids whose conversation was not found, by the time of the set's node in milliseconds.
/// </remarks>
internal static class ConversationScripts
{
    /// <summary>
    /// KEYS: conversation. ARGV: the incarnation and number replaced (empty and 0 for none), the incarnation from now on, the record, its first bytes
    /// that no other record has, milliseconds to live or 0. Returns whether the record is stored, by this call or an earlier one, and the records held; −1 when the
    /// conversation's numbers are none.
    /// </summary>
    public const string Append = """
        local head = redis.call('HMGET', KEYS[1], 'i', 'n', 'f')
        local number = tonumber(ARGV[2]) + 1
        if head[1] and not (tonumber(head[2]) and tonumber(head[3])) then return {-1, 0} end
        if head[1] == ARGV[3] then
          local there = redis.call('HGET', KEYS[1], tostring(number))
          if there and string.sub(there, 1, string.len(ARGV[5])) == ARGV[5] then return {1, tonumber(head[2]) - tonumber(head[3]) + 1} end
        end
        if ARGV[1] == '' then
          if head[1] then return {0, 0} end
          redis.call('HSET', KEYS[1], 'i', ARGV[3])
          redis.call('HSET', KEYS[1], 'f', 1)
          head[3] = 1
        elseif head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
          return {0, 0}
        end
        redis.call('HSET', KEYS[1], 'n', number)
        redis.call('HSET', KEYS[1], tostring(number), ARGV[4])
        if tonumber(ARGV[6]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
        return {1, number - tonumber(head[3]) + 1}
        """;

    /// <summary>KEYS: conversation. ARGV: incarnation, number, the record of that version's whole state. Returns 1 when it took the place of the records so far.</summary>
    public const string Compact = """
        local head = redis.call('HMGET', KEYS[1], 'i', 'n', 'f')
        if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return 0 end
        for number = tonumber(head[3]), tonumber(head[2]) - 1 do redis.call('HDEL', KEYS[1], tostring(number)) end
        redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
        redis.call('HSET', KEYS[1], 'f', ARGV[2])
        return 1
        """;

    /// <summary>KEYS: conversation. ARGV: incarnation, number. Returns 1 when that version stood and is deleted.</summary>
    public const string Delete = """
        local head = redis.call('HMGET', KEYS[1], 'i', 'n')
        if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return 0 end
        redis.call('DEL', KEYS[1])
        return 1
        """;

    /// <summary>KEYS: doubted. ARGV: milliseconds, how many at most. Returns ids that have been doubted for so long, each with the time it was first.</summary>
    public const string Doubted = Now + """
        return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now() - tonumber(ARGV[1]), 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
        """;

    /// <summary>
    /// KEYS: ids, doubted. ARGV: id, the time it was doubted first. For an id whose conversation was not found since it was read that it was doubted: drops it if
    /// it still is; one that was not is doubted from now on. The only script of two keys: while their slot moves, it may be refused.
    /// </summary>
    public const string Unlist = Now + """
        local since = redis.call('ZSCORE', KEYS[2], ARGV[1])
        if since and since == ARGV[2] then
          redis.call('SREM', KEYS[1], ARGV[1])
          redis.call('ZREM', KEYS[2], ARGV[1])
        elseif not since and redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
          redis.call('ZADD', KEYS[2], now(), ARGV[1])
        end
        return 0
        """;

    /// <summary>KEYS: any. ARGV: a type. Deletes what is of another one; returns 1 when it was.</summary>
    public const string DropOther = """
        local kind = redis.call('TYPE', KEYS[1]).ok
        if kind == ARGV[1] or kind == 'none' then return 0 end
        redis.call('DEL', KEYS[1])
        return 1
        """;

    private const string Now = """
        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end

        """;
}
