using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Redis;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;
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
        Sealer = new(options.Protection, options.AcceptUnsigned);
        _connection = connection;
        _nodes = new RedisNodes(connection);
        _mended = new MendingLog(options.Report, time);
        _isFailing = !connection.IsConnected;
        Tombstones = new RedisTombstones(this, $"{options.KeyPrefix}//tombstones");
        _probe = time.CreateTimer(_ => Probe(), null, ProbeEvery, ProbeEvery);
    }

    /// <inheritdoc/>
    public ITombstoneStore Tombstones { get; }

    internal RecordSealer Sealer { get; }

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
        RedisValue[] head = await OnConversationAsync(key, () => Database.HashGetAsync(KeyOf(key), ["i", "n"]), cancellationToken).ConfigureAwait(false);
        return VersionOf(key, head[0], head[1]);
    }

    /// <inheritdoc/>
    public async ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        if (await ReadStoredAsync(key, cancellationToken).ConfigureAwait(false) is not (ConversationState state, bool hasUnsigned))
            return null;
        if (hasUnsigned)
            await CompactAsync(state).ConfigureAwait(false);
        return state;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (replaced is null != change is ConversationCreated)
            throw new ArgumentException($"A {change.GetType().Name} {(replaced is null ? "must replace a version" : "replaces no version")}.", nameof(replaced));
        Guid incarnation = replaced?.Incarnation ?? ((ConversationCreated)change).Incarnation;
        byte[] nonce = Guid.NewGuid().ToByteArray();
        long number = (replaced?.Number ?? 0) + 1;
        byte[] record = Wrap(nonce, PlaceOf(key, incarnation, number), buffer => ConversationRecord.Write(buffer, number, change));
        RedisValue[] arguments =
        [
            replaced is null ? RedisValue.EmptyString : Bytes(incarnation), replaced?.Number ?? 0, Bytes(incarnation), record, nonce,
            (long)(_options.TimeToLive ?? TimeSpan.Zero).TotalMilliseconds,
        ];
        if (replaced is null)
            await ListIdAsync(key, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        RedisResult result = await OnConversationAsync(
            key, () => Database.ScriptEvaluateAsync(ConversationScripts.Append, [KeyOf(key)], arguments), CancellationToken.None).ConfigureAwait(false);
        long[] numbers = (long[])result!;
        if (numbers[0] < 0)
            throw Damaged(key, "its version cannot be read");
        _tenants[key.Tenant] = true;
        _refusal = null;
        if (numbers[0] == 1 && numbers[1] >= _options.CompactAfterRecords)
            await CompactAsync(key).ConfigureAwait(false);
        return numbers[0] == 1;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RedisResult result = await OnConversationAsync(
            key, () => Database.ScriptEvaluateAsync(ConversationScripts.Delete, [KeyOf(key)], [Bytes(version.Incarnation), version.Number]), CancellationToken.None).ConfigureAwait(false);
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
        RedisValue[] ids = await OnListAsync(tenant, () => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false);
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
            foreach (RedisValue id in await OnListAsync(tenant, () => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false))
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
        byte[] place = RecordSealer.ContextOf("secret"), own = Sealer.Seal(place, candidate);
        RedisValue value;
        try
        {
            await CallAsync(database => database.StringSetAsync(key, own, when: When.NotExists), cancellationToken).ConfigureAwait(false);
            value = await CallAsync(database => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
        }
        catch (BookkeepingException exception)
        {
            throw new FormatException($"'{key}' holds something that is no secret.", exception);
        }

        byte[] kept;
        bool isUnsigned;
        try
        {
            kept = Sealer.Open(value.IsNull ? default : (byte[])value!, place, out isUnsigned).ToArray();
        }
        catch (FormatException exception)
        {
            throw new FormatException($"'{key}' cannot be used: {exception.Message}", exception);
        }

        if (kept.Length != TenantSalts.ByteCount)
            throw new FormatException($"'{key}' has {kept.Length} bytes; it must have {TenantSalts.ByteCount}.");
        if (isUnsigned)
            await CallAsync(database => database.StringSetAsync(key, Sealer.Seal(place, kept)), cancellationToken).ConfigureAwait(false);
        return kept;
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

    private RedisKey KeyOf(ConversationKey key) => $"{_options.KeyPrefix}{key.Tenant}/{key.Id}";
}
