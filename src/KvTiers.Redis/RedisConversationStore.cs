using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KvTiers.Sessions;
using KvTiers.Sessions.Serialization;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>Conversations on a Redis server: any silo can take any turn, with no other coordination.</summary>
/// <remarks>
/// A write compares the version it replaces and stores in one script, so of two writers one wins. A write whose answer was lost is sent again, and
/// recognised when it had arrived. What an acknowledged turn survives is the server's business: without <c>appendonly</c> it outlives every silo, but not the
/// server; and a server that evicts keys without a time to live (<c>allkeys-…</c>) evicts conversations.
/// </remarks>
public sealed class RedisConversationStore : IConversationStore, IAsyncDisposable
{
    private const int NonceBytes = 16;
    private const int ChecksumBytes = sizeof(uint);
    private const int MaxSummaries = 16384;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    private readonly RedisConversationStoreOptions _options;
    private readonly ConnectionMultiplexer _connection;
    private readonly ConcurrentDictionary<ConversationKey, (ConversationVersion Version, ConversationSummary Summary)> _summaries = new();
    private readonly ITimer _probe;
    private volatile bool _isFailing;

    private RedisConversationStore(RedisConversationStoreOptions options, ConnectionMultiplexer connection, TimeProvider time)
    {
        _options = options;
        _connection = connection;
        _isFailing = !connection.IsConnected;
        _probe = time.CreateTimer(_ => Probe(), null, ProbeEvery, ProbeEvery);
    }

    /// <summary>Whether the last call failed. It is tried again in the background, so that recovery needs no request.</summary>
    public bool IsFailing => _isFailing;

    private IDatabase Database => _connection.GetDatabase();

    /// <summary>Starts to connect. While the server is not there, every call throws <see cref="ConversationStoreUnavailableException"/>.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or the configuration cannot be read.</exception>
    public static async Task<RedisConversationStore> ConnectAsync(RedisConversationStoreOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ConfigurationOptions configuration = ConfigurationOptions.Parse(options.Configuration);
        configuration.AbortOnConnectFail = false;
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        return new(options, connection, time ?? TimeProvider.System);
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
            replaced is null ? RedisValue.EmptyString : Bytes(incarnation), replaced?.Number ?? 0, Bytes(incarnation), record, nonce, key.Id,
            (long)(_options.TimeToLive ?? TimeSpan.Zero).TotalMilliseconds,
        ];
        cancellationToken.ThrowIfCancellationRequested();
        RedisResult result = await CallAsync(
            () => Database.ScriptEvaluateAsync(ConversationScripts.Append, [KeyOf(key), IdsOf(key.Tenant)], arguments), CancellationToken.None).ConfigureAwait(false);
        long[] numbers = (long[])result!;
        if (numbers[0] == 1 && numbers[1] >= _options.CompactAfterRecords)
            await CompactAsync(key).ConfigureAwait(false);
        return numbers[0] == 1;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default)
    {
        RedisValue[] arguments = [Bytes(version.Incarnation), version.Number, key.Id];
        cancellationToken.ThrowIfCancellationRequested();
        return (long)await CallAsync(
            () => Database.ScriptEvaluateAsync(ConversationScripts.Delete, [KeyOf(key), IdsOf(key.Tenant)], arguments), CancellationToken.None).ConfigureAwait(false) == 1;
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
            await CallAsync(
                () => Task.WhenAll(Database.KeyDeleteAsync(KeyOf(key)), Database.SetRemoveAsync(IdsOf(key.Tenant), key.Id)), CancellationToken.None).ConfigureAwait(false);
            _summaries.TryRemove(key, out _);
            return true;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        RedisValue[] ids = await CallAsync(() => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false);
        var summaries = new List<ConversationSummary>();
        foreach (RedisValue id in ids)
        {
            if (await SummaryOfAsync(new(tenant, id!), cancellationToken).ConfigureAwait(false) is { } summary)
                summaries.Add(summary);
            else
                await CallAsync(() => Database.ScriptEvaluateAsync(ConversationScripts.Unlist, [KeyOf(new(tenant, id!)), IdsOf(tenant)], [id]), cancellationToken).ConfigureAwait(false);
        }

        return summaries;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ConversationState> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (string tenant in await Task.Run(Tenants, cancellationToken).ConfigureAwait(false))
        {
            foreach (RedisValue id in await CallAsync(() => Database.SetMembersAsync(IdsOf(tenant)), cancellationToken).ConfigureAwait(false))
            {
                if (await ReadUndamagedAsync(new(tenant, id!), cancellationToken).ConfigureAwait(false) is { } state)
                    yield return state;
            }
        }
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

    // Tenants are in no list of their own: their lists of conversations are looked for.
    private string[] Tenants()
    {
        string start = _options.KeyPrefix, end = IdsOf("").ToString()[start.Length..];
        try
        {
            return
            [
                .. _connection.GetEndPoints().SelectMany(place => _connection.GetServer(place).Keys(Database.Database, start + "*" + end, pageSize: 1000))
                    .Select(key => key.ToString()[start.Length..^end.Length]).Distinct(),
            ];
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new IOException($"The conversation store on Redis could not be searched: {fault.Message}", fault);
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
        }
        catch (IOException)
        {
            // The change is stored. Compaction only saves room, and is tried again at the next one.
        }
    }

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

    // A connection comes back; a server that was just started reads its file first.
    private static bool PassesSoon(RedisException fault) =>
        fault is RedisConnectionException || (fault is RedisServerException && fault.Message.StartsWith("LOADING", StringComparison.Ordinal));

    private async void Probe()
    {
        if (!_isFailing)
            return;
        try
        {
            await CallAsync(() => Database.PingAsync(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (ConversationStoreUnavailableException)
        {
            // Not back yet.
        }
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

    private RedisKey IdsOf(string tenant) => $"{_options.KeyPrefix}{tenant}//ids";
}
