using System.Collections.Concurrent;
using KvTiers.Conversations;
using KvTiers.Redis;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <content>
/// Keys of the store that hold something else, because somebody else wrote to them. A conversation's is damage of that conversation, as what it held is gone.
/// Lists of ids are made anew from the conversations that are there; doubts and tombstones begin anew.
/// </content>
public sealed partial class RedisConversationStore
{
    private const int ProbesToLook = 60;

    private readonly MendingLog _mended;
    private readonly ConcurrentDictionary<string, bool> _tenants = new();
    private int _probes;
    private int _isLooking;

    /// <summary>What an operator should know of the store though it works; null = nothing.</summary>
    public string? Trouble => _mended.Recent;

    /// <summary>Makes a call of a conversation's key.</summary>
    /// <exception cref="ConversationDamagedException">The key holds something else.</exception>
    private async Task<T> OnConversationAsync<T>(ConversationKey key, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (BookkeepingException fault)
        {
            throw Damaged(key, "its key on Redis holds something that is no conversation, or no longer one", fault);
        }
    }

    /// <summary>Makes a call of a tenant's list; when it holds something else, makes it anew first.</summary>
    private async Task<T> OnListAsync<T>(string tenant, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (BookkeepingException)
        {
            await MendListAsync(tenant, cancellationToken).ConfigureAwait(false);
        }

        return await CallAsync(call, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a call of the tombstones; when their key holds something else, it goes.</summary>
    internal async Task<T> OnTombstonesAsync<T>(RedisKey key, Func<IDatabase, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (BookkeepingException)
        {
            if (await DropOtherAsync(key, "hash", cancellationToken).ConfigureAwait(false))
                _mended.Add($"'{key}' on the conversation store's Redis was replaced by something else, and with it what deletions owed their tiers: it begins anew");
        }

        return await CallAsync(call, cancellationToken).ConfigureAwait(false);
    }

    private async Task MendListAsync(string tenant, CancellationToken cancellationToken)
    {
        await DropOtherAsync(DoubtsOf(tenant), "zset", cancellationToken).ConfigureAwait(false);
        bool isReplaced = await DropOtherAsync(IdsOf(tenant), "set", cancellationToken).ConfigureAwait(false);
        string[] ids = await Task.Run(() => StoredIds(tenant), cancellationToken).ConfigureAwait(false);
        if (ids.Length > 0)
            await CallAsync(database => database.SetAddAsync(IdsOf(tenant), [.. ids.Select(id => (RedisValue)id)]), cancellationToken).ConfigureAwait(false);
        if (isReplaced || ids.Length > 0)
            _mended.Add($"the list of a tenant's conversations on Redis was replaced or emptied: it was made anew for the {ids.Length} that are there");
    }

    /// <summary>Deletes what is of another type.</summary>
    private async Task<bool> DropOtherAsync(RedisKey key, string type, CancellationToken cancellationToken) =>
        (long)await CallAsync(database => database.ScriptEvaluateAsync(ConversationScripts.DropOther, [key], [type]), cancellationToken).ConfigureAwait(false) == 1;

    private string[] StoredIds(string tenant)
    {
        string start = $"{_options.KeyPrefix}{tenant}/";
        return [.. Search(PatternOf(start) + "*").Select(key => key[start.Length..]).Where(id => id.Length > 0 && id[0] != '/')];
    }

    // What a pattern takes for more than itself.
    private static string PatternOf(string text) => string.Concat(text.Select(c => c is '*' or '?' or '[' or ']' or '\\' ? $"\\{c}" : $"{c}"));

    /// <summary>A list that is gone though conversations of it were read or written here is made anew.</summary>
    private async void LookNowAndThen()
    {
        if (Interlocked.Increment(ref _probes) % ProbesToLook != 0 || _isFailing || Interlocked.Exchange(ref _isLooking, 1) == 1)
            return;
        try
        {
            foreach (string tenant in _tenants.Keys)
            {
                if (await CallAsync(database => database.KeyTypeAsync(IdsOf(tenant)), CancellationToken.None).ConfigureAwait(false) != RedisType.Set)
                    await MendListAsync(tenant, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // Looked at again, and mended when a call stumbles over it.
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
        }
    }
}
