using KvTiers.Conversations;
using KvTiers.Orleans.Clients;

namespace KvTiers.Orleans.Tests;

/// <summary>Where conversations go.</summary>
public sealed class PlacementTests
{
    private static string System(int number) => $"Number {number}: " + string.Join(' ', Enumerable.Repeat("you are a kind and careful assistant", 12));

    [Fact]
    public async Task ANewConversationGoesWhereItsSystemPromptIs()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(3, "--KvTiers:Orleans:LoadSlack=10");
        await using ClusterClient client = await cluster.ConnectAsync();
        foreach (int number in (int[])[1, 2, 3, 4])
        {
            await OrleansCluster.CreateAsync(cluster.Door(0), $"first-{number}", System(number));
            await OrleansCluster.SayAsync(cluster.Door(0), $"first-{number}", "Hello");
        }

        await cluster.ExchangeAsync();
        foreach (int number in (int[])[1, 2, 3, 4])
        {
            foreach (IConversations door in (IConversations[])[cluster.Door(0), cluster.Door(1), cluster.Door(2), client.Conversations])
            {
                string id = $"later-{number}-{Guid.NewGuid():n}";
                await OrleansCluster.CreateAsync(door, id, System(number));
                Assert.Equal(cluster.HolderOf($"first-{number}"), cluster.HolderOf(id));
                TurnUsage usage = (await OrleansCluster.SayAsync(door, id, "Hello")).Usage;
                Assert.True(usage.Cached.Hot > usage.PromptTokens / 2);

                // One that begins with a turn that has its whole history.
                string stateless = $"stateless-{number}-{Guid.NewGuid():n}";
                var request = new TurnRequest { Mode = TurnMode.History, Messages = [new("system", System(number)), new("user", "Hello")], Options = new() { MaxTokens = 2, Temperature = 0 } };
                await foreach (TurnEvent _ in door.TurnAsync(OrleansCluster.Key(stateless), request))
                    continue;
                Assert.Equal(cluster.HolderOf($"first-{number}"), cluster.HolderOf(stateless));
            }
        }
    }

    [Fact]
    public async Task AReturningConversationGoesBackToItsBlocks()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(3, "--KvTiers:Orleans:LoadSlack=10");
        int[] holders = new int[6];
        for (int i = 0; i < holders.Length; i++)
        {
            await OrleansCluster.CreateAsync(cluster.Door(i % 3), $"c{i}", System(i));
            await OrleansCluster.SayAsync(cluster.Door(i % 3), $"c{i}", "Hello");
            holders[i] = cluster.HolderOf($"c{i}");
        }

        await cluster.GiveUpAllAsync();
        await cluster.ExchangeAsync();
        for (int i = 0; i < holders.Length; i++)
        {
            TurnUsage usage = (await OrleansCluster.SayAsync(cluster.Door((i + 1) % 3), $"c{i}", "Back again")).Usage;
            Assert.Equal(holders[i], cluster.HolderOf($"c{i}"));
            Assert.True(usage.Cached.Hot > usage.PromptTokens / 2);
        }
    }

    [Fact]
    public async Task ConversationsWithOneSystemPromptStillSpread()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(3, "--KvTiers:Orleans:LoadSlack=0.25");
        for (int i = 0; i < 30; i++)
            await OrleansCluster.CreateAsync(cluster.Door(i % 3), $"c{i}", System(1));

        // What another silo placed is known a round later, so the bound may be passed by what fits into one.
        int[] active = [.. Enumerable.Range(0, 3).Select(cluster.ActiveOn)];
        Assert.Equal(30, active.Sum());
        Assert.All(active, count => Assert.True(count >= 1, string.Join(", ", active)));
    }
}
