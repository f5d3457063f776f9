using System.Globalization;
using StackExchange.Redis;

namespace KvTiers.Silo.Limits;

/// <summary>What the servers of one conversation store on Redis tell each other twice a second: how many answers of each tenant each has in work.</summary>
/// <remarks>So a tenant's <c>concurrent_turns</c> hold over all of them, but for what began within half a second. Alone, without a shared store, there are no others.</remarks>
/// <param name="redis">Where they tell it; null = this server is alone.</param>
/// <param name="name">This server's name among them; a process adds a number of its own.</param>
/// <param name="time">The clock.</param>
internal sealed class Fleet(FleetRedis? redis, string name, TimeProvider time) : IDisposable
{
    /// <summary>How often they tell each other.</summary>
    public static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(3);

    // KEYS: one hash for all. ARGV: this server, its counts. Returns those of the others that told theirs within three seconds.
    private const string Tell =
        """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. '|' .. ARGV[2])
        redis.call('PEXPIRE', KEYS[1], 60000)
        local others = {}
        local all = redis.call('HGETALL', KEYS[1])
        for i = 1, #all, 2 do
          if all[i] ~= ARGV[1] then
            local at = tonumber(string.match(all[i + 1], '^(%d+)|')) or 0
            if now - at < 3000 then
              others[#others + 1] = string.match(all[i + 1], '|(.*)$')
            else
              redis.call('HDEL', KEYS[1], all[i])
            end
          end
        end
        return others
        """;

    private readonly string _server = $"{name}:{Guid.NewGuid():n}";
    private readonly CancellationTokenSource _ending = new();
    private volatile IReadOnlyDictionary<string, int> _others = new Dictionary<string, int>();
    private volatile int _servers = 1;
    private int _isDisposed;
    private long _heardAt = time.GetTimestamp();

    /// <summary>Servers that were there when they last told each other, this one included.</summary>
    public int Servers => _servers;

    /// <summary>What a tenant may have in work here, when all servers together may have <paramref name="most"/>; at least 1 where the others are not heard of.</summary>
    public int PartOf(string tenant, int most)
    {
        if (redis is null || most == int.MaxValue) return most;
        bool isHeard = time.GetElapsedTime(Volatile.Read(ref _heardAt)) < FreshFor;
        return isHeard ? Math.Max(0, most - _others.GetValueOrDefault(tenant)) : Math.Max(1, most / _servers);
    }

    /// <summary>Tells the others twice a second, until it is disposed.</summary>
    /// <param name="counts">What this server has in work, by tenant.</param>
    public async Task RunAsync(Func<IReadOnlyDictionary<string, int>> counts)
    {
        if (redis is null) return;
        using var timer = new PeriodicTimer(TellEvery, time);
        try
        {
            do await TellAsync(counts());
            while (await timer.WaitForNextTickAsync(_ending.Token));
        }
        catch (OperationCanceledException)
        {
            // It ends.
        }
    }

    /// <summary>Tells the others once, and hears what they have.</summary>
    public async Task TellAsync(IReadOnlyDictionary<string, int> counts)
    {
        string own = string.Join(',', counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")));
        RedisResult? result = redis is null ? null : await redis.TryCallAsync(database => database.ScriptEvaluateAsync(Tell, ["kvc:1://turns"], [_server, own]));
        if (result is null) return;
        var others = (string[])result!;
        _others = others.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries)).Select(text => text.Split('='))
            .Where(pair => pair.Length == 2 && int.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .GroupBy(pair => pair[0], StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Sum(pair => int.Parse(pair[1], CultureInfo.InvariantCulture)), StringComparer.Ordinal);
        _servers = others.Length + 1;
        Volatile.Write(ref _heardAt, time.GetTimestamp());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1) return;
        _ending.Cancel();
        _ending.Dispose();
    }
}
