using KvTiers.Conversations;
using KvTiers.Orleans.Clients;

namespace KvTiers.Orleans.Tests;

/// <summary>Silos whose Redis is a Redis Cluster of three nodes: membership, grain directory and conversations on it, and a node that comes and goes.</summary>
public sealed class RedisClusterTests : IDisposable
{
    private readonly RedisCluster _redis = new();

    public RedisClusterTests() => Assert.SkipUnless(RedisCluster.IsAvailable, RedisCluster.Reason);

    public void Dispose() => _redis.Dispose();

    [Fact]
    public async Task SilosFindEachOtherAndEachConversationIsOnOne()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(_redis, 2);
        await using ClusterClient client = await cluster.ConnectAsync();
        for (int i = 0; i < 6; i++)
        {
            await OrleansCluster.CreateAsync(cluster.Door(0), $"c{i}", $"You are kind, number {i}, and like long walks by the sea.");
            TurnCompleted first = await OrleansCluster.SayAsync(cluster.Door(0), $"c{i}", "Hello");
            TurnCompleted second = await OrleansCluster.SayAsync(cluster.Door(1), $"c{i}", "And again");
            TurnCompleted third = await OrleansCluster.SayAsync(client.Conversations, $"c{i}", "A third time");
            Assert.Equal((2, 3, 4), (first.Version, second.Version, third.Version));
            Assert.True(third.Usage.Cached.Hot >= second.Usage.PromptTokens);
        }

        Assert.Equal(6, cluster.ActiveOn(0) + cluster.ActiveOn(1));
        Assert.Equal(6, (await cluster.Door(1).ListAsync(OrleansCluster.Tenant)).Count);

        // Membership is one key, and the directory has one for each grain: more than one node has some.
        Assert.True(Enumerable.Range(0, 3).Count(node => _redis.Ask(node, "DBSIZE") != "0") > 1);
    }

    [Fact]
    public async Task WithANodeAwayTheOthersConversationsGoOnAndAllDoWhenItIsBack()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(_redis, 2, "--KvTiers:StoreDeadline=1s");
        string[] ids = [.. Enumerable.Range(0, 9).Select(i => $"c{i}")];
        foreach (string id in ids)
        {
            await OrleansCluster.CreateAsync(cluster.Door(0), id, "Be kind.");
            await OrleansCluster.SayAsync(cluster.Door(1), id, "Hello");
        }

        int away = _redis.NodeOf($"kvc:1:{OrleansCluster.Tenant}/c0");
        string[] lost = [.. ids.Where(id => _redis.NodeOf($"kvc:1:{OrleansCluster.Tenant}/{id}") == away)], kept = [.. ids.Except(lost)];
        Assert.True(kept.Length > 0);
        _redis.Kill(away);
        foreach (string id in kept)
            Assert.Equal(3, (await OrleansCluster.SayAsync(cluster.Door(0), id, "Still there?")).Version);
        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(() => OrleansCluster.SayAsync(cluster.Door(0), lost[0], "Still there?"));

        _redis.Start(away);
        foreach (string id in ids)
            await UntilAsync(async () => (await OrleansCluster.SayAsync(cluster.Door(1), id, "And now?")).Version >= 3);
    }

    /// <summary>Tries again until it holds; that Redis is not there is no answer yet.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (int attempt = 0; attempt < 300; attempt++)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (IOException)
            {
                // Not yet.
            }

            await Task.Delay(100);
        }

        Assert.Fail("What was waited for did not come about.");
    }
}
