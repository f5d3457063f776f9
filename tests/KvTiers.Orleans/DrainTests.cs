using KvTiers.Conversations;

namespace KvTiers.Orleans.Tests;

/// <summary>A silo that is stopped in good order takes nothing with it: not its blocks, not the turns that run there.</summary>
public sealed class DrainTests
{
    private static readonly GenerationOptions Options = new() { MaxTokens = 24, Temperature = 0 };

    /// <summary>With blocks written to Redis only when they leave the hot tier: before the stop there are none.</summary>
    [Fact]
    public async Task ItsConversationsFindTheirBlocksInTheSharedTier()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartWithBlocksAsync(2, "--KvTiers:RedisWrite=on-demote");
        string[] ids = [.. Enumerable.Range(0, 6).Select(i => $"c{i}")];
        var known = new Dictionary<string, int>();
        foreach (string id in ids)
        {
            await OrleansCluster.CreateAsync(cluster.Door(0), id, $"You are {id}. Be kind, be brief, and speak of the sea whenever there is a reason to.");
            TurnUsage first = (await OrleansCluster.SayAsync(cluster.Door(0), id, "Hello", Options)).Usage;
            known[id] = first.PromptTokens + first.CompletionTokens - 1;
        }

        int leaving = cluster.ActiveOn(0) > 0 ? 0 : 1;
        string[] given = [.. ids.Where(id => cluster.HolderOf(id) == leaving)];
        SiloServer other = cluster.Silos[1 - leaving];
        Assert.NotEmpty(given);
        Assert.Equal(0, BlocksOnRedis(other));

        await cluster.Silos[leaving].StopAsync();
        int size = other.Model.Cache.Shape.BlockSize;
        foreach (string id in given)
        {
            TurnCompleted next = await OrleansCluster.SayAsync(cluster.Door(1 - leaving), id, "And now?", Options);
            int system = next.Usage.Cached.Hot; // What it shares with conversations that are here, or that returned before it.
            Assert.InRange(next.Usage.Cached.Redis + system, known[id] / size * size, next.Usage.PromptTokens - 1);
            Assert.True(next.Usage.Cached.Redis > 0);
            Assert.Equal(await UndisturbedAsync(cluster.Door(1 - leaving), id), next.Message.Content);
        }
    }

    [Fact]
    public async Task TurnsThatAnotherSiloAskedForEnd()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--model", TestModels.Slow, "--stop-grace", "60s");
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        int holder = cluster.HolderOf("c");
        IConversations door = cluster.Door(1 - holder);
        var options = new GenerationOptions { MaxTokens = 100, Temperature = 0, LogitBias = [.. cluster.Silos[0].Model.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))] };
        var request = new TurnRequest { Messages = [new ChatMessage("user", "Go on.")], Options = options };
        Task stopping = Task.CompletedTask;
        List<TurnEvent> events = [];
        await foreach (TurnEvent one in door.TurnAsync(OrleansCluster.Key("c"), request))
        {
            events.Add(one);
            if (events.Count == 4)
                stopping = cluster.Silos[holder].StopAsync();
        }

        Assert.Equal(2, Assert.IsType<TurnCompleted>(events[^1]).Version);
        Assert.Equal(100, events.OfType<TurnToken>().Count());
        await stopping;
        Assert.Equal(3, (await OrleansCluster.SayAsync(door, "c", "Still there?")).Version);
    }

    // The same messages in a conversation of its own, with nothing taken from the cache.
    private static async Task<string> UndisturbedAsync(IConversations door, string id)
    {
        ConversationView view = await door.GetAsync(OrleansCluster.Key(id));
        string other = $"{id}-again";
        await OrleansCluster.CreateAsync(door, other, view.Messages[0].Content);
        TurnCompleted? last = null;
        foreach (string text in (string[])["Hello", "And now?"])
            last = await OrleansCluster.SayAsync(door, other, text, Options with { UseCache = false });
        return last!.Message.Content;
    }

    private static long BlocksOnRedis(SiloServer silo) => silo.Model.Engine.Tiers!.Usage.Single(tier => tier.Name == "redis").Blocks;
}
