using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Orleans.Clients;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Orleans.Tests;

/// <summary>Two silos: every verb through a door that has the conversation elsewhere, and what silos do with idle ones.</summary>
public sealed class ConversationGrainTests
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 6, Temperature = 0 };

    [Fact]
    public async Task AConversationBegunOnOneSiloContinuesOnTheOtherWithItsBlocksHot()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "You are a kind and careful assistant, and you like long walks by the sea.");
        TurnCompleted first = await OrleansCluster.SayAsync(cluster.Door(0), "c", "Hello");
        TurnCompleted second = await OrleansCluster.SayAsync(cluster.Door(1), "c", "And again");
        TurnCompleted third = await OrleansCluster.SayAsync(cluster.Door(0), "c", "A third time");

        Assert.Equal((2, 3, 4), (first.Version, second.Version, third.Version));
        Assert.True(second.Usage.Cached.Hot >= first.Usage.PromptTokens);
        Assert.True(third.Usage.Cached.Hot >= second.Usage.PromptTokens);
        Assert.Equal(1, cluster.ActiveOn(0) + cluster.ActiveOn(1));
    }

    [Fact]
    public async Task EveryVerbWorksFromWhereTheConversationIsNot()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        await ExerciseAsync(cluster.Door(1 - cluster.HolderOf("c")), "c");
    }

    [Fact]
    public async Task AProcessOutsideTheClusterHasTheSameVerbs()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await using ClusterClient client = await cluster.ConnectAsync();
        await OrleansCluster.CreateAsync(client.Conversations, "c", "Be kind.");
        await ExerciseAsync(client.Conversations, "c");
    }

    [Fact]
    public async Task ErrorsAreTheSameAsInProcess()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await using ClusterClient client = await cluster.ConnectAsync();
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        foreach (IConversations door in (IConversations[])[cluster.Door(0), cluster.Door(1), client.Conversations])
        {
            ConversationNotFoundException missing = await Assert.ThrowsAsync<ConversationNotFoundException>(() => door.GetAsync(OrleansCluster.Key("none")));
            Assert.Equal(OrleansCluster.Key("none"), missing.Key);
            await Assert.ThrowsAsync<ConversationNotFoundException>(() => OrleansCluster.SayAsync(door, "none", "x"));
            ConversationConflictException taken = await Assert.ThrowsAsync<ConversationConflictException>(() => OrleansCluster.CreateAsync(door, "c", "Again."));
            Assert.Equal("There is already a conversation 'c'.", taken.Message);
            var stale = new EditRequest { Index = 0, Content = "x", ExpectedVersion = 7 };
            Assert.Equal(1, (await Assert.ThrowsAsync<ConversationConflictException>(() => door.EditAsync(OrleansCluster.Key("c"), stale))).ActualVersion);
            ArgumentException bad = await Assert.ThrowsAsync<ArgumentException>(() => OrleansCluster.SayAsync(door, "c", "x", Short with { MaxTokens = 0 }));
            Assert.Equal("MaxTokens", bad.ParamName);
            await Assert.ThrowsAsync<ArgumentException>(() => door.TruncateAsync(OrleansCluster.Key("c"), 9));
            await Assert.ThrowsAsync<PromptTooLongException>(() => OrleansCluster.SayAsync(door, "c", string.Join(' ', Enumerable.Repeat("many words", 4000))));
            Assert.Equal(1, (await door.GetAsync(OrleansCluster.Key("c"))).Version);
        }
    }

    [Fact]
    public async Task AnIdleConversationLeavesMemoryAndGivesUpItsBlocksUnlessItIsPinned()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--KvTiers:Orleans:IdleAfter=2s");
        foreach (string id in (string[])["idle", "pinned"])
        {
            await OrleansCluster.CreateAsync(cluster.Door(0), id, "Be kind.");
            await OrleansCluster.SayAsync(cluster.Door(1), id, $"Hello, {id}");
        }

        await cluster.Door(0).PinAsync(OrleansCluster.Key("pinned"), null);
        int holder = cluster.HolderOf("pinned");
        await Eventually.TrueAsync(() => cluster.ActiveOn(0) + cluster.ActiveOn(1) == 1);
        Assert.Equal(holder, cluster.HolderOf("pinned"));
        Assert.Equal(1, cluster.Silos[holder].Model.Cache.Snapshot().Pins);
        Assert.Equal(3, (await OrleansCluster.SayAsync(cluster.Door(0), "idle", "Back again")).Version);

        await cluster.Door(1).UnpinAsync(OrleansCluster.Key("pinned"));
        await Eventually.TrueAsync(() => cluster.ActiveOn(0) + cluster.ActiveOn(1) == 0);
        Assert.All(cluster.Silos, silo => Assert.Equal((0, 0), (silo.Model.Cache.Snapshot().Leases, silo.Model.Cache.Snapshot().Pins)));
    }

    [Fact]
    public async Task AConversationWhoseGrainIsGivenUpLeavesMemoryWithIt()
    {
        // Idle after five minutes by its own clock, so that what is seen is the grain's doing.
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        await OrleansCluster.SayAsync(cluster.Door(1), "c", "Hello");
        SiloServer holder = cluster.Silos[cluster.HolderOf("c")];
        Assert.True(holder.Model.Cache.Snapshot().Leases > 0);
        await cluster.GiveUpAllAsync();
        Assert.Equal(0, holder.Model.Cache.Snapshot().Leases);
    }

    [Fact]
    public async Task WhenASiloLeavesItsConversationsContinueOnTheOthers()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2);
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        await OrleansCluster.SayAsync(cluster.Door(0), "c", "Hello");
        int holder = cluster.HolderOf("c");
        await cluster.Silos[holder].StopAsync();
        Assert.Equal(3, (await OrleansCluster.SayAsync(cluster.Door(1 - holder), "c", "Still there?")).Version);
    }

    private static async Task ExerciseAsync(IConversations door, string id)
    {
        ConversationKey key = OrleansCluster.Key(id);
        List<TurnEvent> events = [];
        var request = new TurnRequest { Messages = [new ChatMessage("user", "Hello")], Options = Short with { TopLogProbs = 2 } };
        await foreach (TurnEvent one in door.TurnAsync(key, request))
            events.Add(one);
        Assert.IsType<TurnStarted>(events[0]);
        Assert.All(events[1..^1], one => Assert.Equal(2, Assert.IsType<TurnToken>(one).LogProb!.Top.Count));
        TurnCompleted answer = Assert.IsType<TurnCompleted>(events[^1]);
        Assert.Equal(answer.Usage.CompletionTokens, events.Count - 2);

        List<TurnEvent> again = [];
        await foreach (TurnEvent one in door.RegenerateAsync(key, Short))
            again.Add(one);
        Assert.Equal(answer.Message.Content, Assert.IsType<TurnCompleted>(again[^1]).Message.Content);

        EditReceipt edit = await door.EditAsync(key, new EditRequest { Index = 1, Content = "Good morning" });
        Assert.True(edit.TokensInvalidated > 0);
        Assert.Equal("Hello", (await UndoneAsync(door, key)).Messages[1].Content);
        await door.TruncateAsync(key, 2);
        Assert.Equal(2, (await door.GetAsync(key)).Messages.Count);
        ConversationView fork = await door.ForkAsync(key, new ForkRequest { At = 1 });
        Assert.Equal((key.Id, 1), (fork.ForkedFrom, fork.Messages.Count));
        Assert.True((await door.WarmAsync(key)).Tokens > 0);
        Assert.Equal(DateTimeOffset.MaxValue, (await door.PinAsync(key, null)).PinnedUntil);
        await door.UnpinAsync(key);
        Assert.Null((await door.GetAsync(key)).PinnedUntil);
        Assert.Equal(key.Id, (await door.ExplainAsync(key)).Conversation);
        Assert.Equal([fork.Id, key.Id], (await door.ListAsync(key.Tenant)).Select(summary => summary.Id).OrderByDescending(name => name.Length));
        Assert.Equal(key.Id, (await door.DeleteAsync(key)).Conversation);
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => door.GetAsync(key));
        await door.DeleteAsync(new(key.Tenant, fork.Id));
    }

    private static async Task<ConversationView> UndoneAsync(IConversations door, ConversationKey key)
    {
        await door.UndoAsync(key);
        return await door.GetAsync(key);
    }
}
