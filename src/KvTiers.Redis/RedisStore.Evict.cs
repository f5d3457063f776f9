using StackExchange.Redis;

namespace KvTiers.Redis;

/// <content>Making room: for another capacity, for a tenant's budget, and for all that is to come.</content>
public sealed partial class RedisStore
{
    /// <summary>Over all processes that share the server; without what is on nodes that are away, unless all are.</summary>
    public async ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) =>
        (await CountsAsync(tenant, cancellationToken).ConfigureAwait(false)).Sum(part => part.Count);

    /// <summary>Each part of the tier loses its own, as many as its share in what the tenant has. What is on nodes that are away stays.</summary>
    public async ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        (RedisShard Shard, long Count)[] parts = await CountsAsync(tenant, cancellationToken).ConfigureAwait(false);
        Random.Shared.Shuffle(parts);
        long left = parts.Sum(part => part.Count), due = Math.Min(atMost, left);
        var evictions = new List<Task<int>>();
        foreach ((RedisShard shard, long count) in parts)
        {
            if (count == 0)
                continue;

            // No more than it has, and the last one's is all that is due.
            int share = (int)(due * count / left);
            due -= share;
            left -= count;
            evictions.Add(EvictTenantAsync(shard, tenant, share, cancellationToken));
        }

        return (await Task.WhenAll(evictions).ConfigureAwait(false)).Sum();
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

    private async Task TrimAsync(long records, CancellationToken cancellationToken)
    {
        RedisShards shards = await ShardsAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(shards.All.Select(shard => TrimAsync(shard, shard.ShareOf(records), HashesPerScript, [], cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>Evicts what a part has beyond its room, in pieces: while a script runs, its node does nothing else.</summary>
    /// <param name="shard">The part.</param>
    /// <param name="room">Records allowed.</param>
    /// <param name="atOnce">Records evicted by one script, at most.</param>
    /// <param name="named">Hash and score, in turns, of those to begin with. When others have used or evicted them meanwhile, the next answer tells better ones.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private async Task TrimAsync(RedisShard shard, long room, int atOnce, RedisValue[] named, CancellationToken cancellationToken)
    {
        ShardAnswer answer;
        do
        {
            answer = await EvictAsync(shard, room, atOnce, named, cancellationToken).ConfigureAwait(false);
            named = answer.Next;
        }
        while (answer.Count > room && named.Length > 0);
    }

    private async Task<ShardAnswer> EvictAsync(RedisShard shard, long room, int tell, RedisValue[] named, CancellationToken cancellationToken)
    {
        ShardAnswer answer = ShardAnswer.Of(
            await ScriptAsync(shard, RedisScripts.Evict, shard.KeysOf(named), [room, tell, .. named], cancellationToken).ConfigureAwait(false));
        Note(shard, answer);
        return answer;
    }

    private async Task<int> EvictTenantAsync(RedisShard shard, int tenant, int atMost, CancellationToken cancellationToken)
    {
        int evicted = 0;
        while (evicted < atMost)
        {
            ShardAnswer owned = await TenantAsync(shard, tenant, Math.Min(atMost - evicted, HashesPerScript), cancellationToken).ConfigureAwait(false);
            ShardAnswer answer = await EvictAsync(shard, 0, 0, owned.Next, cancellationToken).ConfigureAwait(false);
            if (answer.Evicted == 0)
                break;

            evicted += (int)answer.Evicted;
        }

        return evicted;
    }

    private async Task<ShardAnswer> TenantAsync(RedisShard shard, int tenant, int tell, CancellationToken cancellationToken) =>
        ShardAnswer.Of(await ScriptAsync(shard, RedisScripts.Tenant, [], [tenant, tell], cancellationToken).ConfigureAwait(false));

    private async Task<(RedisShard Shard, long Count)[]> CountsAsync(int tenant, CancellationToken cancellationToken)
    {
        RedisShards shards = await ShardsAsync(cancellationToken).ConfigureAwait(false);
        Task<ShardAnswer>[] asked = [.. shards.All.Select(shard => TenantAsync(shard, tenant, 0, cancellationToken))];
        try
        {
            await Task.WhenAll(asked).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or TimeoutException && asked.Any(answer => answer.IsCompletedSuccessfully))
        {
            // A node that is away.
        }

        return [.. shards.All.Zip(asked).Where(part => part.Second.IsCompletedSuccessfully).Select(part => (part.First, part.Second.Result.Count))];
    }

    private void Note(RedisShard shard, ShardAnswer answer)
    {
        shard.Note(answer);
        Interlocked.Add(ref _evictedRecords, answer.Evicted);
    }
}
