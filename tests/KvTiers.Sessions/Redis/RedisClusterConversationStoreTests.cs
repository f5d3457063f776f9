using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Redis;
using KvTiers.Sessions.Storage;
using KvTiers.Sessions.Tests.Storage;

namespace KvTiers.Sessions.Tests.Redis;

/// <summary>Conversations on a Redis Cluster of three nodes: the suite that every store passes, and what many nodes add.</summary>
public sealed class RedisClusterConversationStoreTests : ConversationStoreContract, IClassFixture<RedisCluster>, IAsyncDisposable
{
    private readonly RedisCluster _cluster;
    private readonly string _prefix = $"{Guid.NewGuid():N}:";
    private readonly List<RedisConversationStore> _open = [];

    public RedisClusterConversationStoreTests(RedisCluster cluster)
    {
        Assert.SkipUnless(RedisCluster.IsAvailable, RedisCluster.Reason);
        _cluster = cluster;
    }

    [Fact]
    public async Task ConversationsAreSpreadAndListedTogether()
    {
        IConversationStore store = Open();
        string[] ids = [.. Enumerable.Range(0, 30).Select(i => $"c{i}")];
        foreach (string id in ids)
            await Write(store, new("tenant", id), 1);
        await Write(store, new("other", "c0"), 1);
        Assert.Equal(3, ids.Select(id => NodeOf(new("tenant", id))).Distinct().Count());
        Assert.Equal(ids.Order(), (await Open().ListAsync("tenant")).Select(summary => summary.Id).Order());
        Assert.Equal(31, await Open().ReadAllAsync().CountAsync());
    }

    /// <summary>Each conversation is on one node: those on the others go on, and those of the node that was away are as they were.</summary>
    [Fact]
    public async Task ANodeThatIsAwayIsAnErrorOfItsConversationsAndTheyGoOnWhenItIsBack()
    {
        using var cluster = new RedisCluster();
        RedisConversationStore store = Open(cluster, TimeSpan.FromSeconds(2));
        ConversationState[] states = [.. await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Write(store, new("tenant", $"c{i}"), 2)))];
        int away = cluster.NodeOf($"{_prefix}tenant//ids") == 0 ? 1 : 0;
        ConversationState[] lost = [.. states.Where(state => cluster.NodeOf(_prefix + state.Key) == away)], kept = [.. states.Except(lost)];
        Assert.True(lost.Length > 0 && kept.Length > 0);
        cluster.Kill(away);

        foreach (ConversationState state in lost.Take(2))
        {
            await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.ReadAsync(state.Key));
            await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.TryAppendAsync(state.Key, state.Version, Add(state, 1)));
        }

        Assert.True(store.IsFailing);
        foreach (ConversationState state in kept)
            Assert.True(await store.TryAppendAsync(state.Key, state.Version, Add(state, 1)));
        Assert.True(store.IsFailing); // whatever the others say

        cluster.Start(away);
        await UntilAsync(() => !store.IsFailing);
        RedisConversationStore patient = Open(cluster, TimeSpan.FromSeconds(20));
        foreach (ConversationState state in lost)
        {
            // The write that was answered by an error may have arrived.
            ConversationState read = (await patient.ReadAsync(state.Key))!;
            Assert.InRange(read.Version.Number, 2, 3);
            Assert.True(await patient.TryAppendAsync(state.Key, read.Version, Add(read, 2)));
        }

        Assert.Equal(12, (await patient.ListAsync("tenant")).Count(summary => summary.Damage is null && summary.Version >= 3));
    }

    [Fact]
    public async Task WhileTheIdsAreAwayConversationsGoOnAndNoneIsBegun()
    {
        using var cluster = new RedisCluster();
        RedisConversationStore store = Open(cluster, TimeSpan.FromSeconds(2));
        int away = cluster.NodeOf($"{_prefix}tenant//ids");
        string id = Enumerable.Range(0, 100).Select(i => $"c{i}").First(id => cluster.NodeOf($"{_prefix}tenant/{id}") != away);
        string other = Enumerable.Range(0, 100).Select(i => $"d{i}").First(id => cluster.NodeOf($"{_prefix}tenant/{id}") != away);
        ConversationState state = await Write(store, new("tenant", id), 1);
        cluster.Kill(away);
        Assert.True(await store.TryAppendAsync(state.Key, state.Version, Add(state, 1)));
        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(() => Write(store, new("tenant", other), 1));
        cluster.Start(away);
        RedisConversationStore patient = Open(cluster, TimeSpan.FromSeconds(20));
        Assert.Null(await patient.ReadAsync(new("tenant", other)));
        Assert.Equal([id], (await patient.ListAsync("tenant")).Select(summary => summary.Id));
    }

    /// <summary>Slots go round while conversations are written: no append is lost, and none is stored twice.</summary>
    [Fact]
    public async Task SlotsThatMoveAreFollowedWithNothingLost()
    {
        using var cluster = new RedisCluster();
        RedisConversationStore store = Open(cluster, TimeSpan.FromSeconds(20));
        ConversationState[] states = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Write(store, new("tenant", $"c{i}"), 1)))];
        using var stop = new CancellationTokenSource();
        Task<int>[] writers = [.. states.Select(state => Task.Run(async () =>
        {
            int stored = 1;
            for (ConversationState now = state; !stop.IsCancellationRequested; stored++)
            {
                Assert.True(await store.TryAppendAsync(now.Key, now.Version, Add(now, stored)));
                now = (await store.ReadAsync(now.Key))!;
                Assert.Equal(stored + 1, now.Version.Number);
            }

            return stored;
        }))];
        string[] keys = [.. states.Select(state => _prefix + state.Key), $"{_prefix}tenant//ids"];
        foreach (string key in keys)
        {
            int slot = cluster.SlotOf(key), from = cluster.NodeOf(key), to = (from + 1) % 3;
            cluster.BeginMove(slot, from, to);
            await Task.Delay(50);
            foreach (string one in cluster.KeysOf(slot, from))
                cluster.MoveKeys(from, to, one);
            await Task.Delay(50);
            await Write(store, new("tenant", $"new-{slot}"), 1);
            cluster.EndMove(slot, to);
            Assert.Empty(cluster.KeysOf(slot, from));
        }

        await Task.Delay(100);
        await stop.CancelAsync();
        int[] stored = await Task.WhenAll(writers);
        Assert.All(stored, count => Assert.True(count > keys.Length));
        RedisConversationStore other = Open(cluster, TimeSpan.FromSeconds(20));
        Assert.Equal(stored, await Task.WhenAll(states.Select(async state => (int)(await other.ReadAsync(state.Key))!.Version.Number)));
        Assert.Equal(4 + keys.Select(cluster.SlotOf).Distinct().Count(), (await other.ListAsync("tenant")).Count);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RedisConversationStore store in _open)
            await store.DisposeAsync();
    }

    protected override IConversationStore Open() => Open(_cluster, TimeSpan.FromSeconds(20));

    private int NodeOf(ConversationKey key) => _cluster.NodeOf(_prefix + key);

    private RedisConversationStore Open(RedisCluster cluster, TimeSpan deadline)
    {
        RedisConversationStore store = RedisConversationStore.ConnectAsync(
            new() { Configuration = cluster.Configuration, KeyPrefix = _prefix, Deadline = deadline }).GetAwaiter().GetResult();
        lock (_open)
            _open.Add(store);
        return store;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (int attempt = 0; !condition(); attempt++)
        {
            Assert.True(attempt < 600, "it did not come about");
            await Task.Delay(100);
        }
    }
}
