using System.Collections.Concurrent;
using StackExchange.Redis;

namespace KvTiers.Silo.Limits;

/// <summary>Limits that all servers of one conversation store on Redis share: a bucket for each name, in a hash that a script fills and takes from.</summary>
/// <remarks>
/// While Redis does not answer within its deadline, this server lets through its part alone: the limit divided by the servers that were there last. Every request of a tenant with a
/// limit costs one call. RedisRateLimiting's buckets can owe nothing, which a limit of tokens needs, as they are counted when an answer has ended.
/// </remarks>
internal sealed class RedisRates(FleetRedis redis, Fleet fleet, TimeProvider time) : IRates
{
    // KEYS: the bucket. ARGV: capacity, what fills in a second, amount, 1 = take it whether or not it is there. Returns whether it was taken, and the level in thousandths.
    private const string Take =
        """
        local t = redis.call('TIME')
        local now = t[1] + t[2] / 1000000
        local capacity, rate, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local was = redis.call('HMGET', KEYS[1], 'level', 'at')
        local level = math.min(capacity, (tonumber(was[1]) or capacity) + math.max(0, now - (tonumber(was[2]) or now)) * rate)
        local taken = 0
        if ARGV[4] == '1' or level >= amount then
          level = level - amount
          taken = 1
        end
        redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
        redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - level) / rate * 1000) + 1000)
        return { taken, math.floor(level * 1000) }
        """;

    private readonly RateBuckets _alone = new(time);
    private readonly ConcurrentDictionary<string, (double Level, long At)> _seen = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask<TimeSpan?> TryTakeAsync(string name, RateRule rule, CancellationToken cancellationToken)
    {
        if (await CallAsync(name, rule, 1, mayOwe: false) is not { } answer)
            return Alone(name, rule).TryTake(1, out TimeSpan retryAfter) ? null : retryAfter;
        return answer.IsTaken ? null : TimeSpan.FromSeconds((1 - answer.Level) / rule.PerSecond);
    }

    /// <inheritdoc/>
    public void Charge(string name, RateRule rule, double amount) => _ = ChargeAsync(name, rule, amount);

    /// <inheritdoc/>
    public RateState StateOf(string name, RateRule rule)
    {
        if (!redis.IsAnswering) return Alone(name, rule).State;
        double level = _seen.TryGetValue(name, out (double Level, long At) seen)
            ? Math.Min(rule.Capacity, seen.Level + (time.GetElapsedTime(seen.At).TotalSeconds * rule.PerSecond))
            : rule.Capacity;
        return RateState.Of(rule, level);
    }

    private async Task ChargeAsync(string name, RateRule rule, double amount)
    {
        if (await CallAsync(name, rule, amount, mayOwe: true) is null) Alone(name, rule).Charge(amount);
    }

    private RateBucket Alone(string name, RateRule rule) => _alone.Of(name, rule.Share(fleet.Servers));

    // Null: Redis did not answer.
    private async ValueTask<(bool IsTaken, double Level)?> CallAsync(string name, RateRule rule, double amount, bool mayOwe)
    {
        RedisResult? result = await redis.TryCallAsync(database => database.ScriptEvaluateAsync(
            Take, [$"kvc:1://limits:{name}"], [rule.Capacity, rule.PerSecond, amount, mayOwe ? 1 : 0]));
        if (result is null) return null;
        var numbers = (long[])result!;
        double level = numbers[1] / 1000.0;
        _seen[name] = (level, time.GetTimestamp());
        return (numbers[0] == 1, level);
    }
}
