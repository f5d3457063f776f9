using KvTiers.Prefix;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>Records on a Redis server that many processes share: what one computed, all find by its hash.</summary>
/// <remarks>
/// Every key has a time to live, renewed by each use. The order of eviction and the byte budget are the server's, so all
/// processes see one. Every call has a deadline; after some faults in a row the server is left alone for a while, and
/// tried again by one call at a time, in the background too. Records and everything else travel on connections of their own, because a large
/// record would hold up small commands behind it.
/// </remarks>
public sealed partial class RedisStore : IPartedStore
{
    private const int HashesPerScript = 512;

    private readonly RedisStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly CircuitBreaker _breaker;
    private readonly RedisKey[] _keys;
    private readonly ConnectionMultiplexer _control;
    private readonly ConnectionMultiplexer[] _data;
    private readonly ITimer _probe;
    private readonly SemaphoreSlim _reads;
    private long _capacity;
    private long _count;
    private long _evictedRecords;
    private long _readRecords;
    private long _writtenRecords;

    private RedisStore(int recordBytes, RedisStoreOptions options, TimeProvider time, ConnectionMultiplexer control, ConnectionMultiplexer[] data)
    {
        RecordBytes = recordBytes;
        _options = options;
        _time = time;
        _capacity = options.CapacityBytes;
        _control = control;
        _data = data;
        _breaker = new CircuitBreaker(options.FaultsToOpen, options.RetryAfter, time);
        _reads = new SemaphoreSlim(Math.Max(1, options.ReadBytesAtOnce / recordBytes));
        _probe = time.CreateTimer(_ => Probe(), null, options.RetryAfter / 2, options.RetryAfter / 2);

        // Records of another length are another room.
        _keys = [.. new[] { "order", "uses", "expiries", "tenants" }.Select(name => (RedisKey)$"{options.KeyPrefix}{name}:{recordBytes}")];
    }

    /// <inheritdoc/>
    public int RecordBytes { get; }

    /// <inheritdoc/>
    public long CapacityBytes => Interlocked.Read(ref _capacity);

    /// <summary>As of the last write or removal of this process.</summary>
    public long UsedBytes => Count * RecordBytes;

    /// <inheritdoc cref="UsedBytes"/>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether the server is left alone for now after too many faults.</summary>
    public bool IsDegraded => _breaker.IsOpen;

    /// <summary>Of this process alone. Records that expired are not evicted.</summary>
    public StoreTotals Totals => new(
        Interlocked.Read(ref _evictedRecords),
        Interlocked.Read(ref _readRecords) * RecordBytes,
        Interlocked.Read(ref _writtenRecords) * RecordBytes);

    /// <summary>Commands of reads and writes of records that the server has not answered.</summary>
    internal long RecordCommandsUnderWay => _data.Sum(connection => connection.GetCounters().TotalOutstanding);

    private long RecordsAllowed => CapacityBytes / RecordBytes;

    /// <summary>Starts to connect. A server that is not there yet is a fault of each call, until it is there.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or the configuration cannot be read.</exception>
    public static async Task<RedisStore> ConnectAsync(int recordBytes, RedisStoreOptions options, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(recordBytes);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(recordBytes);
        ConnectionMultiplexer control = await ConnectOneAsync(options).ConfigureAwait(false);
        ConnectionMultiplexer[] data = await Task.WhenAll(
            Enumerable.Range(0, options.DataConnections).Select(_ => ConnectOneAsync(options))).ConfigureAwait(false);
        return new RedisStore(recordBytes, options, time ?? TimeProvider.System, control, data);
    }

    /// <inheritdoc/>
    public async ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        if (chain.IsEmpty)
        {
            return 0;
        }

        bool[] held = await CallAsync(
            () => Task.WhenAll(chain.ToArray().Select(hash => _control.GetDatabase().KeyExistsAsync(KeyOf(hash)))), cancellationToken).ConfigureAwait(false);
        return held.TakeWhile(there => there).Count();
    }

    /// <inheritdoc/>
    public async ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        int removed = 0;
        foreach (BlockHash[] part in hashes.ToArray().Chunk(HashesPerScript))
        {
            RedisValue[] arguments = [_options.KeyPrefix, .. part.Select(hash => (RedisValue)hash.ToString())];
            RedisResult result = await CallAsync(
                () => _control.GetDatabase().ScriptEvaluateAsync(RedisScripts.Remove, _keys, arguments), cancellationToken).ConfigureAwait(false);
            long[] numbers = (long[])result!;
            removed += (int)numbers[0];
            Interlocked.Exchange(ref _count, numbers[1]);
        }

        return removed;
    }

    /// <inheritdoc/>
    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => RemoveAsync(hashes, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        int held = 0;
        long live = Math.Max(1, MillisecondsOf(at - _time.GetUtcNow()));
        foreach (BlockHash[] part in hashes.ToArray().Chunk(HashesPerScript))
        {
            RedisValue[] arguments = [_options.KeyPrefix, live, .. part.Select(hash => (RedisValue)hash.ToString())];
            held += (int)await CallAsync(
                () => _control.GetDatabase().ScriptEvaluateAsync(RedisScripts.Expire, _keys, arguments), cancellationToken).ConfigureAwait(false);
        }

        return held;
    }

    /// <summary>Over all processes that share the server.</summary>
    public async ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) =>
        (await EvictTenantAsync(tenant, 0, cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public async ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        int evicted = 0;
        while (evicted < atMost)
        {
            long[] numbers = await EvictTenantAsync(tenant, Math.Min(atMost - evicted, HashesPerScript), cancellationToken).ConfigureAwait(false);
            if (numbers[1] == 0)
            {
                break;
            }

            evicted += (int)numbers[1];
            NoteTrim(numbers[2], numbers[1]);
        }

        return evicted;
    }

    /// <summary>Changes the room, for this process: the others keep theirs.</summary>
    public async ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RecordBytes);
        Interlocked.Exchange(ref _capacity, capacityBytes);
        await TrimAsync(RecordsAllowed, cancellationToken).ConfigureAwait(false);
        return CapacityBytes;
    }

    /// <inheritdoc/>
    public async ValueTask ClearAsync(CancellationToken cancellationToken) => await TrimAsync(0, cancellationToken).ConfigureAwait(false);

    /// <summary>Closes the connections; the records stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _probe.DisposeAsync().ConfigureAwait(false);
        foreach (ConnectionMultiplexer connection in _data.Append(_control))
        {
            await connection.CloseAsync().ConfigureAwait(false);
            connection.Dispose();
        }

        _reads.Dispose();
    }

    private static async Task<ConnectionMultiplexer> ConnectOneAsync(RedisStoreOptions options)
    {
        ConfigurationOptions configuration = ConfigurationOptions.Parse(options.Configuration);
        configuration.AbortOnConnectFail = false;
        configuration.SyncTimeout = (int)options.Deadline.TotalMilliseconds;
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        return connection;
    }

    private async Task TrimAsync(long records, CancellationToken cancellationToken)
    {
        // In pieces: while a script runs, the server does nothing else.
        RedisValue[] arguments = [_options.KeyPrefix, records, HashesPerScript];
        long[] numbers;
        do
        {
            RedisResult result = await CallAsync(
                () => _control.GetDatabase().ScriptEvaluateAsync(RedisScripts.Trim, _keys, arguments), cancellationToken).ConfigureAwait(false);
            numbers = (long[])result!;
            NoteTrim(numbers[0], numbers[1]);
        }
        while (numbers[0] > records && numbers[1] > 0);
    }

    private async Task<long[]> EvictTenantAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        RedisValue[] arguments = [_options.KeyPrefix, tenant, atMost];
        RedisResult result = await CallAsync(
            () => _control.GetDatabase().ScriptEvaluateAsync(RedisScripts.EvictTenant, _keys, arguments), cancellationToken).ConfigureAwait(false);
        return (long[])result!;
    }

    private void NoteTrim(long count, long evicted)
    {
        Interlocked.Exchange(ref _count, count);
        Interlocked.Add(ref _evictedRecords, evicted);
    }

    /// <summary>A server that is left alone is tried again also when nobody asks for it, so that recovery needs no request.</summary>
    private async void Probe()
    {
        if (!_breaker.IsOpen)
        {
            return;
        }

        try
        {
            await CallAsync(
                () => Task.WhenAll(_data.Append(_control).Select(connection => connection.GetDatabase().PingAsync())), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException)
        {
            // Not back yet.
        }
    }

    /// <summary>Makes a call under deadline and breaker; every fault of the client's is one that tiers know.</summary>
    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        if (!_breaker.TryEnter())
        {
            throw new TierUnavailableException("Redis failed several times in a row and is left alone for a while.");
        }

        Task<T>? pending = null;
        try
        {
            pending = call();
            T result = await pending.WaitAsync(_options.Deadline, cancellationToken).ConfigureAwait(false);
            _breaker.Succeeded();
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Forget(pending);
            throw;
        }
        catch (TimeoutException)
        {
            _breaker.Failed();
            Forget(pending);
            throw;
        }
        catch (Exception fault) when (fault is RedisException or ObjectDisposedException or OperationCanceledException)
        {
            _breaker.Failed();
            throw new IOException($"Redis failed: {fault.Message}", fault);
        }
    }

    // Nobody waits for it any more; its fault has been counted, or does not matter.
    private static void Forget(Task? task) => task?.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static long MillisecondsOf(TimeSpan time) => (long)Math.Ceiling(time.TotalMilliseconds);

    private RedisKey KeyOf(BlockHash hash) => _options.KeyPrefix + hash.ToString();
}
