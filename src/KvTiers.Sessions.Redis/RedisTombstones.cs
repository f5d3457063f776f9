using System.Runtime.CompilerServices;
using KvTiers.Sessions.Storage;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <summary>Tombstones beside the conversations on Redis: one hash, a field each. They have no time to live.</summary>
internal sealed class RedisTombstones(RedisConversationStore store, RedisKey key) : ITombstoneStore
{
    /// <inheritdoc/>
    public async ValueTask WriteAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        byte[] bytes = TombstoneFormat.Write(tombstone, store.Sealer);
        await store.OnTombstonesAsync(key, database => database.HashSetAsync(key, NameOf(tombstone), bytes), CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await store.OnTombstonesAsync(key, database => database.HashDeleteAsync(key, NameOf(tombstone)), CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Tombstone> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (RedisValue name in await store.OnTombstonesAsync(key, database => database.HashKeysAsync(key), cancellationToken).ConfigureAwait(false))
        {
            RedisValue value = await store.OnTombstonesAsync(key, database => database.HashGetAsync(key, name), cancellationToken).ConfigureAwait(false);
            if (TryRead(value) is { } tombstone)
                yield return tombstone;
        }
    }

    private Tombstone? TryRead(RedisValue value)
    {
        try
        {
            return value.IsNull ? null : TombstoneFormat.Read((byte[])value!, store.Sealer);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static RedisValue NameOf(Tombstone tombstone) => tombstone.Id.ToString("n");
}
