using KvTiers.Prefix;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>Records on a Redis server or a Redis Cluster that many processes share: what one computed, all find by its hash.</summary>
/// <remarks>
/// Every record has a time to live, renewed by each use. The order of eviction and the byte budget are the server's, so all
/// processes see one; in a cluster each part of the tier has its share of the budget and an order of its own (<see cref="RedisShards"/>). Every call has a
/// deadline; after some faults in a row a node is left alone for a while, and tried again by one call at a time, in the background too. Records and everything
/// else travel on connections of their own, because a large record would hold up small commands behind it.
/// </remarks>
public sealed partial class RedisStore : IPartedStore
{
    private const int HashesPerScript = 512;

    private readonly RedisStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly NodeBreakers _breakers;
    private readonly RedisNodes _nodes;
    private readonly ConnectionMultiplexer _control;
    private readonly ConnectionMultiplexer[] _data;
    private readonly ITimer _probe;
    private readonly SemaphoreSlim _reads;
    private RedisShards? _shards;
    private long _capacity;
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
        _nodes = new RedisNodes(control);
        _mended = new MendingLog(options.Report, time);
        _breakers = new NodeBreakers(options.FaultsToOpen, options.RetryAfter, time);
        _reads = new SemaphoreSlim(Math.Max(1, options.ReadBytesAtOnce / recordBytes));
        _probe = time.CreateTimer(_ => Probe(), null, options.RetryAfter / 2, options.RetryAfter / 2);
    }

    /// <inheritdoc/>
    public int RecordBytes { get; }

    /// <inheritdoc/>
    public long CapacityBytes => Interlocked.Read(ref _capacity);

    /// <summary>The value is that of this process's last write or removal in each part of the tier.</summary>
    public long UsedBytes => Count * RecordBytes;

    /// <inheritdoc cref="UsedBytes"/>
    public long Count => Volatile.Read(ref _shards)?.All.Sum(shard => shard.Count) ?? 0;

    /// <summary>Whether a node is left alone for now after too many faults.</summary>
    public bool IsDegraded => _breakers.IsAnyOpen;

    /// <summary>Counts this process alone. Records that expired are not evicted.</summary>
    public StoreTotals Totals => new(
        Interlocked.Read(ref _evictedRecords),
        Interlocked.Read(ref _readRecords) * RecordBytes,
        Interlocked.Read(ref _writtenRecords) * RecordBytes);

    /// <summary>Commands of reads and writes of records that the servers have not answered.</summary>
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

    /// <summary>Asks all nodes at once. What is on a node that does not answer is taken for missing; when that is the first of the chain, it is a fault.</summary>
    public async ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        if (chain.IsEmpty)
            return 0;

        RedisShards shards = await ShardsAsync(cancellationToken).ConfigureAwait(false);
        (string Hash, RedisShard Shard)[] blocks = [.. chain.ToArray().Select(hash => (hash.ToString(), shards.Of(hash)))];
        var asked = new Task<bool[]>[blocks.Length];
        int[] answers = new int[blocks.Length];
        foreach (var node in Enumerable.Range(0, blocks.Length).GroupBy(i => _nodes.Of(blocks[i].Shard.Slot)))
        {
            int[] there = [.. node];
            Task<bool[]> answer = CallAsync(
                node.Key, () => Task.WhenAll(there.Select(i => _control.GetDatabase().KeyExistsAsync(blocks[i].Shard.KeyOf(blocks[i].Hash)))), cancellationToken);
            for (int i = 0; i < there.Length; i++)
                (asked[there[i]], answers[there[i]]) = (answer, i);
        }

        int count = 0;
        try
        {
            while (count < blocks.Length && (await asked[count].ConfigureAwait(false))[answers[count]])
                count++;
        }
        catch (Exception fault) when (count > 0 && fault is IOException or TimeoutException)
        {
            // It ends there.
        }
        finally
        {
            foreach (Task<bool[]> answer in asked.Distinct())
                Forget(answer);
        }

        return count;
    }

    /// <inheritdoc/>
    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => OnShardsAsync(
        hashes,
        async (shard, part) =>
        {
            long[] numbers = (long[])(await ScriptAsync(shard, RedisScripts.Remove, part.Select(shard.KeyOf), [.. part], cancellationToken).ConfigureAwait(false))!;
            shard.NoteCount(numbers[1]);
            return (int)numbers[0];
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => RemoveAsync(hashes, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long live = Math.Max(1, MillisecondsOf(at - _time.GetUtcNow()));
        return OnShardsAsync(
            hashes,
            async (shard, part) => (int)await ScriptAsync(shard, RedisScripts.Expire, part.Select(shard.KeyOf), [live, .. part], cancellationToken).ConfigureAwait(false),
            cancellationToken);
    }

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
        configuration.AllowAdmin = true;
        configuration.SyncTimeout = (int)options.Deadline.TotalMilliseconds;
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        return connection;
    }

    private static long MillisecondsOf(TimeSpan time) => (long)Math.Ceiling(time.TotalMilliseconds);

    /// <summary>Calls every part that has one of the hashes, all at once, with so many hashes at a time as a script takes. A fault is thrown when all have ended.</summary>
    /// <returns>The sum of what they return.</returns>
    private async ValueTask<int> OnShardsAsync(ReadOnlyMemory<BlockHash> hashes, Func<RedisShard, string[], Task<int>> call, CancellationToken cancellationToken)
    {
        if (hashes.IsEmpty)
            return 0;

        RedisShards shards = await ShardsAsync(cancellationToken).ConfigureAwait(false);
        int[] sums = await Task.WhenAll(hashes.ToArray().GroupBy(shards.Of, hash => hash.ToString()).Select(async shard =>
        {
            int sum = 0;
            foreach (string[] part in shard.Chunk(HashesPerScript))
                sum += await call(shard.Key, part).ConfigureAwait(false);

            return sum;
        })).ConfigureAwait(false);
        return sums.Sum();
    }
}
