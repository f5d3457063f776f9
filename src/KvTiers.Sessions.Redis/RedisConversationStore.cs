using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Redis;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <summary>Conversations on a Redis server or a Redis Cluster: any silo can take any turn, with no other coordination.</summary>
/// <remarks>
/// A write compares the version it replaces and stores in one script, so of two writers one wins. A write whose answer was lost is sent again, and
/// recognised when it had arrived. What an acknowledged turn survives is the server's business: without <c>appendonly</c> it outlives every silo, but not the
/// server; and a server that evicts keys without a time to live (<c>allkeys-…</c>) evicts conversations.
/// </remarks>
public sealed partial class RedisConversationStore : IConversationStore, ISharedSecret, IAsyncDisposable
{
    private const int NonceBytes = 16;
    private const int ChecksumBytes = sizeof(uint);
    private const int MaxSummaries = 16384;
    private static readonly string[] PassingErrors = ["LOADING", "CLUSTERDOWN", "READONLY", "Key has MOVED"];
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    private readonly RedisConversationStoreOptions _options;
    private readonly ConnectionMultiplexer _connection;
    private readonly RedisNodes _nodes;
    private readonly ConcurrentDictionary<ConversationKey, (ConversationVersion Version, ConversationSummary Summary)> _summaries = new();
    private readonly ITimer _probe;
    private volatile bool _isFailing;

    private RedisConversationStore(RedisConversationStoreOptions options, ConnectionMultiplexer connection, TimeProvider time)
    {
        _options = options;
        _connection = connection;
        _nodes = new RedisNodes(connection);
        _isFailing = !connection.IsConnected;
        Tombstones = new RedisTombstones(this, $"{options.KeyPrefix}//tombstones");
        _probe = time.CreateTimer(_ => Probe(), null, ProbeEvery, ProbeEvery);
    }

    /// <summary>Whether the last call failed; of a cluster, whether one did since all nodes were well. It is tried again in the background, so that recovery needs no request.</summary>
    public bool IsFailing => _isFailing;

    /// <inheritdoc/>
    public ITombstoneStore Tombstones { get; }

    private IDatabase Database => _connection.GetDatabase();

    /// <summary>Starts to connect. While the server is not there, every call throws <see cref="ConversationStoreUnavailableException"/>.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or the configuration cannot be read.</exception>
    public static async Task<RedisConversationStore> ConnectAsync(RedisConversationStoreOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ConfigurationOptions configuration = ConfigurationOptions.Parse(options.Configuration);
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true;
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        RedisConversationStore store = new(options, connection, time ?? TimeProvider.System);
        if (connection.IsConnected)
            await store.LookAsync().ConfigureAwait(false);
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask<ConversationVersion?> ReadVersionAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        RedisValue[] head = await CallAsync(() => Database.HashGetAsync(KeyOf(key), ["i", "n"]), cancellationToken).ConfigureAwait(false);
        return VersionOf(key, head[0], head[1]);
    }

    /// <inheritdoc/>
    public async ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        HashEntry[] entries = await CallAsync(() => Database.HashGetAllAsync(KeyOf(key)), cancellationToken).ConfigureAwait(false);
        if (entries.Length == 0)
            return null;
        Dictionary<string, RedisValue> fields = entries.ToDictionary(entry => entry.Name.ToString(), entry => entry.Value, StringComparer.Ordinal);
        ConversationVersion version = VersionOf(key, fields.GetValueOrDefault("i"), fields.GetValueOrDefault("n")) ?? throw Damaged(key, "it has no version");
        ConversationState? state = null;
        for (long number = (long)fields.GetValueOrDefault("f"); number <= version.Number; number++)
        {
            try
            {
                state = ConversationRecord.Apply(key, state, Unwrap(fields.TryGetValue($"{number}", out RedisValue record) ? record : RedisValue.Null));
            }
            catch (FormatException exception)
            {
                throw Damaged(key, $"record {number} cannot be read: {exception.Message}", exception);
            }
        }

        return state?.Version == version ? state : throw Damaged(key, "its records make another version than it says");
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (replaced is null != change is ConversationCreated)
            throw new ArgumentException($"A {change.GetType().Name} {(replaced is null ? "must replace a version" : "replaces no version")}.", nameof(replaced));
        Guid incarnation = replaced?.Incarnation ?? ((ConversationCreated)change).Incarnation;
        byte[] nonce = Guid.NewGuid().ToByteArray();
        byte[] record = Wrap(nonce, buffer => ConversationRecord.Write(buffer, (replaced?.Number ?? 0) + 1, change));
        RedisValue[] arguments =
        [
            replaced is null ? RedisValue.EmptyString : Bytes(incarnation), replaced?.Number ?? 0, Bytes(incarnation), record, nonce,
            (long)(_options.TimeToLive ?? TimeSpan.Zero).TotalMilliseconds,
        ];
        if (replaced is null)
            await ListIdAsync(key, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        RedisResult result = await CallAsync(
            () => Database.ScriptEvaluateAsync(ConversationScripts.Append, [KeyOf(key)], arguments), CancellationToken.None).ConfigureAwait(false);
        long[] numbers = (long[])result!;
        if (numbers[0] == 1 && numbers[1] >= _options.CompactAfterRecords)
            await CompactAsync(key).ConfigureAwait(false);
        return numbers[0] == 1;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RedisResult result = await CallAsync(
            () => Database.ScriptEvaluateAsync(ConversationScripts.Delete, [KeyOf(key)], [Bytes(version.Incarnation), version.Number]), CancellationToken.None).ConfigureAwait(false);
        bool isDeleted = (long)result == 1;
        if (isDeleted)
            Tidy(key);
        return isDeleted;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteDamagedAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        try
        {
            await ReadAsync(key, cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (ConversationDamagedException)
        {
            await CallAsync(() => Database.KeyDeleteAsync(KeyOf(key)), CancellationToken.None).ConfigureAwait(false);
            _summaries.TryRemove(key, out _);
            Tidy(key);
            return true;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        Dictionary<string, RedisValue> doubted = await DoubtedAsync(tenant, int.MaxValue, cancellationToken).ConfigureAwait(false);
        RedisValue[] ids = await CallAsync(() => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false);
        var summaries = new List<ConversationSummary>();
        foreach (RedisValue id in ids)
        {
            if (await SummaryOfAsync(new(tenant, id!), cancellationToken).ConfigureAwait(false) is { } summary)
                summaries.Add(summary);
            else
                await UnlistAsync(new(tenant, id!), doubted.GetValueOrDefault(id!, RedisValue.EmptyString), cancellationToken).ConfigureAwait(false);
        }

        return summaries;
    }

    /// <inheritdoc/>
    public async ValueTask<int> CountAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        return (int)await CallAsync(() => Database.SetLengthAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ConversationState> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await CallAsync(_nodes.LookAsync, cancellationToken).ConfigureAwait(false);
        foreach (string tenant in await Task.Run(Tenants, cancellationToken).ConfigureAwait(false))
        {
            foreach (RedisValue id in await CallAsync(() => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false))
            {
                if (await ReadUndamagedAsync(new(tenant, id!), cancellationToken).ConfigureAwait(false) is { } state)
                    yield return state;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> AgreeAsync(byte[] candidate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        RedisKey key = $"{_options.KeyPrefix}//secret";
        await CallAsync(database => database.StringSetAsync(key, candidate, when: When.NotExists), cancellationToken).ConfigureAwait(false);
        byte[]? kept = await CallAsync(database => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
        return kept is { Length: TenantSalts.ByteCount } ? kept : throw new FormatException($"'{key}' has {kept?.Length ?? 0} bytes; it must have {TenantSalts.ByteCount}.");
    }

    /// <summary>Closes the connection; the conversations stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _probe.DisposeAsync().ConfigureAwait(false);
        await _connection.CloseAsync().ConfigureAwait(false);
        _connection.Dispose();
    }

    private async ValueTask<ConversationSummary?> SummaryOfAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (await ReadVersionAsync(key, cancellationToken).ConfigureAwait(false) is not { } version)
                return null;
            if (_summaries.TryGetValue(key, out (ConversationVersion Version, ConversationSummary Summary) known) && known.Version == version)
                return known.Summary;
            if (await ReadAsync(key, cancellationToken).ConfigureAwait(false) is not { } state)
                return null;
            if (_summaries.Count >= MaxSummaries)
                _summaries.Clear();
            _summaries[key] = (state.Version, state.ToSummary());
            return state.ToSummary();
        }
        catch (ConversationDamagedException exception)
        {
            return new() { Id = key.Id, Version = 0, Title = "", MessageCount = 0, TokenCount = 0, CreatedAt = default, UpdatedAt = default, Damage = exception.Reason };
        }
    }

    private async ValueTask<ConversationState?> ReadUndamagedAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (ConversationDamagedException)
        {
            return null;
        }
    }

    private async ValueTask CompactAsync(ConversationKey key)
    {
        try
        {
            if (await ReadAsync(key).ConfigureAwait(false) is not { } state)
                return;
            RedisValue[] arguments = [Bytes(state.Version.Incarnation), state.Version.Number, Wrap(Guid.NewGuid().ToByteArray(), buffer => ConversationRecord.Write(buffer, state))];
            await CallAsync(() => Database.ScriptEvaluateAsync(ConversationScripts.Compact, [KeyOf(key)], arguments), CancellationToken.None).ConfigureAwait(false);

            // The set of ids may have lost it, if its node has lost what it acknowledged.
            await ListIdAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The change is stored. Compaction only saves room, and is tried again at the next one.
        }
    }

    internal Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken) => CallAsync(() => call(Database), cancellationToken);

    /// <summary>Makes a call under the deadline. A lost connection is tried again until then: every call may be made twice.</summary>
    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.Deadline);
        while (true)
        {
            Task<T>? pending = null;
            try
            {
                pending = call();
                T result = await pending.WaitAsync(deadline.Token).ConfigureAwait(false);

                // One node of a cluster that answers says nothing of the others.
                if (!_nodes.IsCluster)
                    _isFailing = false;
                return result;
            }
            catch (RedisException fault) when (!deadline.IsCancellationRequested && PassesSoon(fault))
            {
                await Task.WhenAny(Task.Delay(RetryDelay, deadline.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Forget(pending);
                throw;
            }
            catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
            {
                Forget(pending);
                _isFailing = true;
                string what = fault is RedisServerException ? "refused" : FormattableString.Invariant($"did not answer within {_options.Deadline.TotalSeconds:0.###} s");
                throw new ConversationStoreUnavailableException($"The conversation store on Redis {what}: {fault.Message}", fault);
            }
        }
    }

    // A connection comes back; a server that was just started reads its file first; a cluster puts a replica in a node's place, and moves slots (the client follows one once).
    private static bool PassesSoon(RedisException fault) => fault is RedisConnectionException
        || (fault is RedisServerException && PassingErrors.Any(error => fault.Message.StartsWith(error, StringComparison.Ordinal)));

    private async void Probe()
    {
        if (!_isFailing)
            return;
        try
        {
            _isFailing = !await CallAsync(AreWellAsync, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is ConversationStoreUnavailableException or ArgumentException)
        {
            // Not back yet.
        }
    }

    private async Task LookAsync()
    {
        try
        {
            await _nodes.LookAsync().WaitAsync(_options.Deadline).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException)
        {
            _isFailing = true;
        }
    }

    // A node of a cluster that has lost others may answer, and refuse every key.
    private async Task<bool> AreWellAsync()
    {
        if (await _nodes.LookAsync().ConfigureAwait(false))
        {
            RedisResult[] all = await Task.WhenAll(_nodes.Primaries.Select(place => _connection.GetServer(place).ExecuteAsync("CLUSTER", "INFO"))).ConfigureAwait(false);
            return all.All(info => info.ToString().Contains("cluster_state:ok", StringComparison.Ordinal));
        }

        await Database.PingAsync().ConfigureAwait(false);
        return true;
    }

    private static void Forget(Task? task) => task?.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Nonce, payload, CRC-32C of both.</summary>
    private static byte[] Wrap(byte[] nonce, Action<IBufferWriter<byte>> writePayload)
    {
        using var record = new RecordBuffer();
        record.Write(nonce);
        writePayload(record);
        uint checksum = Crc32C.Compute(record.Written);
        BinaryPrimitives.WriteUInt32LittleEndian(record.GetSpan(ChecksumBytes), checksum);
        record.Advance(ChecksumBytes);

        // A copy, and not the pool's memory: a call that is given up at its deadline may still be on its way.
        return record.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> Unwrap(RedisValue value)
    {
        if (value.IsNull)
            throw new FormatException("It is not there.");
        ReadOnlyMemory<byte> record = value;
        if (record.Length < NonceBytes + ChecksumBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(record.Span[^ChecksumBytes..]) != Crc32C.Compute(record.Span[..^ChecksumBytes]))
            throw new FormatException("It has a wrong checksum.");
        return record[NonceBytes..^ChecksumBytes];
    }

    private static byte[] Bytes(Guid incarnation) => incarnation.ToByteArray(bigEndian: true);

    private static ConversationDamagedException Damaged(ConversationKey key, string reason, Exception? inner = null) => new(key.ToString(), reason, inner);

    private static ConversationVersion? VersionOf(ConversationKey key, RedisValue incarnation, RedisValue number)
    {
        if (incarnation.IsNull && number.IsNull)
            return null;
        byte[]? bytes = incarnation;
        if (bytes is not { Length: 16 } || !number.TryParse(out long value))
            throw Damaged(key, "its version cannot be read");
        return new(new Guid(bytes, bigEndian: true), value);
    }

    private RedisKey KeyOf(ConversationKey key) => $"{_options.KeyPrefix}{key.Tenant}/{key.Id}";
}
