using KvTiers.Conversations;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <content>
/// The ids of a tenant, in a set that may be on another node than the conversations. No script can change both, so the set has at least the ids there are: one
/// is listed before its conversation is stored, and stays for a while after the conversation was not found. That doubt is noted beside the set, and listing the
/// id anew lifts it; so a conversation that is begun meanwhile is never unlisted, whoever ends in the middle of what.
/// </content>
public sealed partial class RedisConversationStore
{
    private const int TidiedAtOnce = 8;

    private int _isTidying;

    // First the doubt: then whoever unlists meanwhile has the id listed again right after, or finds no doubt that is old.
    private async Task ListIdAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        await OnListAsync(key.Tenant, () => Database.SortedSetRemoveAsync(DoubtsOf(key.Tenant), key.Id), cancellationToken).ConfigureAwait(false);
        await OnListAsync(key.Tenant, () => Database.SetAddAsync(IdsOf(key.Tenant), key.Id), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ids whose conversations have not been found for long, and since when.</summary>
    private async Task<Dictionary<string, RedisValue>> DoubtedAsync(string tenant, int atMost, CancellationToken cancellationToken)
    {
        RedisResult result = await OnListAsync(
            tenant,
            () => Database.ScriptEvaluateAsync(
                ConversationScripts.Doubted, [DoubtsOf(tenant)], [(long)_options.UnlistAfter.TotalMilliseconds, atMost]),
            cancellationToken).ConfigureAwait(false);
        var items = (RedisValue[])result!;
        return items.Chunk(2).ToDictionary(pair => pair[0].ToString(), pair => pair[1], StringComparer.Ordinal);
    }

    /// <summary>A conversation was not found: its id goes if it was <paramref name="doubtedSince"/> long ago, and has not been listed again; else that is noted.</summary>
    private async Task UnlistAsync(ConversationKey key, RedisValue doubtedSince, CancellationToken cancellationToken)
    {
        try
        {
            RedisKey[] keys = [IdsOf(key.Tenant), DoubtsOf(key.Tenant)];
            await OnListAsync(key.Tenant, () => Database.ScriptEvaluateAsync(ConversationScripts.Unlist, keys, [key.Id, doubtedSince]), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // What is listed too long costs a look, and nothing else.
        }
    }

    /// <summary>After a deletion, beside it: notes that the id's conversation is gone, and lets some go that have been so for long. Who lists does it too.</summary>
    private async void Tidy(ConversationKey key)
    {
        try
        {
            await UnlistAsync(key, RedisValue.EmptyString, CancellationToken.None).ConfigureAwait(false);
            if (Interlocked.Exchange(ref _isTidying, 1) == 1)
                return;
            try
            {
                foreach ((string id, RedisValue since) in await DoubtedAsync(key.Tenant, TidiedAtOnce, CancellationToken.None).ConfigureAwait(false))
                {
                    ConversationKey other = new(key.Tenant, id);
                    if (await CallAsync(() => Database.KeyExistsAsync(KeyOf(other)), CancellationToken.None).ConfigureAwait(false))
                        await ListIdAsync(other, CancellationToken.None).ConfigureAwait(false);
                    else
                        await UnlistAsync(other, since, CancellationToken.None).ConfigureAwait(false);
                }
            }
            finally
            {
                Volatile.Write(ref _isTidying, 0);
            }
        }
        catch (IOException)
        {
            // What is listed too long costs a look, and nothing else.
        }
    }

    // Tenants are in no list of their own: their lists of conversations are looked for, on every node.
    private string[] Tenants()
    {
        string start = _options.KeyPrefix, end = IdsOf("").ToString()[start.Length..];
        return [.. Search($"{PatternOf(start)}*{end}").Select(key => key[start.Length..^end.Length]).Distinct()];
    }

    /// <summary>Keys of every node.</summary>
    /// <exception cref="IOException">A node does not answer.</exception>
    private string[] Search(string pattern)
    {
        try
        {
            return [.. _nodes.Primaries.SelectMany(place => _connection.GetServer(place).Keys(Database.Database, pattern, pageSize: 1000)).Select(key => key.ToString())];
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException or ArgumentException)
        {
            throw new IOException($"The conversation store on Redis could not be searched: {fault.Message}", fault);
        }
    }

    private RedisKey IdsOf(string tenant) => $"{_options.KeyPrefix}{tenant}//ids";

    // In the slot of the ids, whose name is older: its hash tag is the whole of that, unless the prefix has one.
    private RedisKey DoubtsOf(string tenant)
    {
        string ids = IdsOf(tenant)!;
        return ids.Contains('{', StringComparison.Ordinal) ? $"{ids}/doubts" : $"{{{ids}}}/doubts";
    }
}
