using System.Net;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <content>Calls under deadline and breaker.</content>
public sealed partial class RedisStore
{
    private int _isProbing;

    /// <summary>The tier's parts. How many depends on what the servers are, so the first call asks them.</summary>
    private async ValueTask<RedisShards> ShardsAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _shards) is { } known)
            return known;

        bool isCluster = await CallAsync(null, _nodes.LookAsync, cancellationToken).ConfigureAwait(false);
        var shards = new RedisShards(
            _options.KeyPrefix, RecordBytes, _options.Shards ?? (isCluster ? RedisShards.CountFor(_options.CapacityBytes / RecordBytes) : 1));
        if (Interlocked.CompareExchange(ref _shards, shards, null) is { } other)
            return other;

        CountAll(shards);
        return shards;
    }

    /// <summary>What others have stored counts from the start, not from this process's first write to each part.</summary>
    private async void CountAll(RedisShards shards)
    {
        try
        {
            await Task.WhenAll(shards.All.Select(async shard =>
            {
                RedisResult result = await ScriptAsync(shard, RedisScripts.Evict, [], [long.MaxValue, 0], CancellationToken.None).ConfigureAwait(false);
                shard.NoteFirstCount(ShardAnswer.Of(result).Count);
            })).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException)
        {
            // The parts that are left count as they are written to.
        }
    }

    private Task<RedisResult> ScriptAsync(
        RedisShard shard, string script, IEnumerable<RedisKey> records, RedisValue[] arguments, CancellationToken cancellationToken) =>
        WithBooksAsync(shard, () => RunAsync(shard, script, records, arguments, cancellationToken), cancellationToken);

    private Task<RedisResult> RunAsync(
        RedisShard shard, string script, IEnumerable<RedisKey> records, RedisValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync(_nodes.Of(shard.Slot), () => _control.GetDatabase().ScriptEvaluateAsync(script, [.. shard.Index, .. records], arguments), cancellationToken);

    /// <summary>
    /// A node that is left alone is tried again also when nobody asks for it, so that recovery needs no request. By a key of its own: a node of a cluster that
    /// has lost others answers, and refuses keys.
    /// </summary>
    private async void Probe()
    {
        LookNowAndThen();
        if (!_breakers.IsAnyOpen || Interlocked.Exchange(ref _isProbing, 1) == 1)
            return;

        try
        {
            if (_nodes.IsCluster)
            {
                await _nodes.LookAsync().WaitAsync(_options.Deadline, _time).ConfigureAwait(false);
                _breakers.KeepOnly([.. _nodes.Primaries]);
            }

            await Task.WhenAll(_breakers.Open.Select(node => CallAsync(node, () => ProbeAsync(node), CancellationToken.None))).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException or RedisException or ObjectDisposedException)
        {
            // Not back yet.
        }
        finally
        {
            Volatile.Write(ref _isProbing, 0);
        }
    }

    private async Task<bool> ProbeAsync(EndPoint? node)
    {
        RedisKey? key = Volatile.Read(ref _shards)?.All.FirstOrDefault(shard => Equals(_nodes.Of(shard.Slot), node))?.Slot;
        await Task.WhenAll(_data.Append(_control).Select(connection => connection.GetDatabase())
            .Select(database => key is { } one ? (Task)database.KeyExistsAsync(one) : database.PingAsync())).ConfigureAwait(false);
        return true;
    }

    /// <summary>Makes a call to a node under deadline and breaker; every fault of the client's is one that tiers know.</summary>
    private async Task<T> CallAsync<T>(EndPoint? node, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        CircuitBreaker breaker = _breakers.Of(node);
        if (!breaker.TryEnter())
            throw new TierUnavailableException("Redis failed several times in a row and is left alone for a while.");

        Task<T>? pending = null;
        try
        {
            pending = call();
            T result = await pending.WaitAsync(_options.Deadline, cancellationToken).ConfigureAwait(false);
            breaker.Succeeded();
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Forget(pending);
            throw;
        }
        catch (TimeoutException)
        {
            breaker.Failed();
            Forget(pending);
            throw;
        }
        catch (RedisServerException moving) when (moving.Message.StartsWith("TRYAGAIN", StringComparison.Ordinal))
        {
            // The part is on its way to another node: it will be back in a moment, and the node is well.
            throw new IOException($"A part of the tier is moving: {moving.Message}", moving);
        }
        catch (RedisServerException fault) when (BookkeepingException.Says(fault))
        {
            breaker.Succeeded();
            throw new BookkeepingException($"A key of the tier holds what is not its own: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is RedisException or ObjectDisposedException or OperationCanceledException)
        {
            breaker.Failed();
            throw new IOException($"Redis failed: {fault.Message}", fault);
        }
    }

    // Nobody waits for it any more; its fault has been counted, or does not matter.
    private static void Forget(Task? task) => task?.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
