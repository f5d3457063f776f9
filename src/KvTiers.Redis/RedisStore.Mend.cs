using System.Net;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <content>
/// The books of a part of the tier, when somebody else has written to their keys, or has emptied them: they are made anew from the records that are there.
/// Found when a script stumbles over them, and by looking every minute.
/// </content>
public sealed partial class RedisStore
{
    private const int ProbesToLook = 60;

    private readonly MendingLog _mended;
    private int _probes;
    private int _isLooking;

    /// <inheritdoc/>
    public string? Trouble => _mended.Recent;

    /// <summary>Makes a call of a part; when its books are not as they must be, mends them and makes it again.</summary>
    private async Task<T> WithBooksAsync<T>(RedisShard shard, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (BookkeepingException)
        {
            // Where nothing is wrong any more, a call beside this one has mended them.
            await MendAsync(shard, cancellationToken).ConfigureAwait(false);
        }

        return await call().ConfigureAwait(false);
    }

    /// <summary>Looks at a part's books, and makes them anew when they are not as they must be.</summary>
    private async Task MendAsync(RedisShard shard, CancellationToken cancellationToken)
    {
        if (!await shard.Mending.WaitAsync(_options.Deadline, cancellationToken).ConfigureAwait(false))
            throw new TimeoutException("The books of the tier are being mended.");
        try
        {
            string wrong = (string?)await RunAsync(shard, RedisScripts.Check, [], [shard.Count], cancellationToken).ConfigureAwait(false) ?? "";
            if (wrong.Length == 0)
                return;
            long kept = await AdoptAllAsync(shard, cancellationToken).ConfigureAwait(false);
            if (wrong != RedisScripts.Emptied || kept > 0)
                _mended.Add($"the books of the Redis tier were not as they must be ({wrong}): they were made anew for the {kept} blocks that are there");
        }
        finally
        {
            shard.Mending.Release();
        }
    }

    /// <summary>Enters every record of a part that is in no book; what lies under a record's name and is none is deleted. One of another length is another tier's.</summary>
    private async Task<long> AdoptAllAsync(RedisShard shard, CancellationToken cancellationToken)
    {
        try
        {
            return await AdoptEachAsync(shard, cancellationToken).ConfigureAwait(false);
        }
        catch (RedisException fault)
        {
            throw new IOException($"Redis failed: {fault.Message}", fault);
        }
    }

    private async Task<long> AdoptEachAsync(RedisShard shard, CancellationToken cancellationToken)
    {
        EndPoint? node = _nodes.Of(shard.Slot);
        int database = _control.GetDatabase().Database;
        long adopted = 0;
        foreach (IServer server in node is null ? _nodes.Primaries.Select(place => _control.GetServer(place)) : [_control.GetServer(node)])
        {
            var names = new List<RedisValue>();
            await foreach (RedisKey key in server.KeysAsync(database, shard.PatternOfRecords, pageSize: HashesPerScript).WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                if (shard.NameOf(key) is { } name)
                    names.Add(name);
                if (names.Count == HashesPerScript)
                    await EnterAsync().ConfigureAwait(false);
            }

            await EnterAsync().ConfigureAwait(false);

            async Task EnterAsync()
            {
                if (names.Count == 0)
                    return;
                adopted += (long)await RunAsync(shard, RedisScripts.Adopt, names.Select(name => shard.KeyOf(name!)), [.. names], cancellationToken).ConfigureAwait(false);
                names.Clear();
            }
        }

        return adopted;
    }

    private async void LookNowAndThen()
    {
        if (Interlocked.Increment(ref _probes) % ProbesToLook != 0 || _breakers.IsAnyOpen || Volatile.Read(ref _shards) is not { } shards
            || Interlocked.Exchange(ref _isLooking, 1) == 1)
            return;
        try
        {
            foreach (RedisShard shard in shards.All)
                await MendAsync(shard, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException or RedisException or ObjectDisposedException)
        {
            // Looked at again, and mended when a script stumbles over it.
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
        }
    }
}
