using StackExchange.Redis;

namespace KvTiers.Silo.Limits;

/// <summary>The conversation store's Redis, as limits use it: a call that is not answered within the deadline is given up, and none is made for a second then.</summary>
/// <param name="address">Where it is, in StackExchange.Redis's own form.</param>
/// <param name="time">The clock.</param>
/// <param name="deadline">How long a call may take; null = 100 ms.</param>
internal sealed class FleetRedis(string address, TimeProvider time, TimeSpan? deadline = null) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _deadline = deadline ?? TimeSpan.FromMilliseconds(100);
    private readonly Lazy<Task<ConnectionMultiplexer>> _connection = new(() => ConnectAsync(address));
    private long _failedAt = long.MinValue;

    /// <summary>False for a second after a call that was not answered.</summary>
    public bool IsAnswering
    {
        get
        {
            long at = Volatile.Read(ref _failedAt);
            return at == long.MinValue || time.GetElapsedTime(at) >= Pause;
        }
    }

    /// <summary>Connects, so that the first call need not.</summary>
    public Task ConnectAsync() => _connection.Value;

    /// <summary>Makes a call; null = it was not answered, or none is made now.</summary>
    public async ValueTask<RedisResult?> TryCallAsync(Func<IDatabase, Task<RedisResult>> call)
    {
        if (!IsAnswering) return null;
        try
        {
            return await CallAsync(call).WaitAsync(_deadline, time);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            Volatile.Write(ref _failedAt, time.GetTimestamp());
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_connection.IsValueCreated) return;
        await ((Task)_connection.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_connection.Value.IsCompletedSuccessfully) await _connection.Value.Result.DisposeAsync();
    }

    private async Task<RedisResult> CallAsync(Func<IDatabase, Task<RedisResult>> call) => await call((await _connection.Value).GetDatabase());

    private static async Task<ConnectionMultiplexer> ConnectAsync(string address)
    {
        ConfigurationOptions options = ConfigurationOptions.Parse(address);
        options.AbortOnConnectFail = false;
        options.ClientName = "kvtiers-limits";
        return await ConnectionMultiplexer.ConnectAsync(options);
    }
}
