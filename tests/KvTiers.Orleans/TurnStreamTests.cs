using System.Diagnostics;
using KvTiers.Conversations;
using KvTiers.Orleans.Grains;
using KvTiers.Orleans.Streaming;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Orleans.Tests;

/// <summary>How a turn that runs on another silo ends before its end.</summary>
public sealed class TurnStreamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task LeavingAStreamEndsTheTurnWhereItRuns(int offset)
    {
        await using OrleansCluster cluster = await StartAsync();
        int holder = cluster.HolderOf("c");
        await foreach (TurnEvent one in cluster.Door((holder + offset) % 2).TurnAsync(OrleansCluster.Key("c"), Endless(cluster)))
        {
            if (one is TurnToken)
                break;
        }

        // It was waited for.
        Assert.Equal((0, 0), Turns(cluster, holder));
        Assert.Equal(1, (await cluster.Door(0).GetAsync(OrleansCluster.Key("c"))).Version);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task CancellingATurnEndsItAlsoBeforeItHasBegun(int offset)
    {
        await using OrleansCluster cluster = await StartAsync();
        int holder = cluster.HolderOf("c");
        IConversations door = cluster.Door((holder + offset) % 2);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        await using IAsyncEnumerator<TurnEvent> running = door.TurnAsync(OrleansCluster.Key("c"), Endless(cluster), first.Token).GetAsyncEnumerator();
        Assert.True(await running.MoveNextAsync());
        await using IAsyncEnumerator<TurnEvent> waiting = door.TurnAsync(OrleansCluster.Key("c"), Endless(cluster), second.Token).GetAsyncEnumerator();
        Task<bool> begins = waiting.MoveNextAsync().AsTask();
        await Task.Delay(100);
        Assert.False(begins.IsCompleted);

        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => begins);
        Assert.True(await running.MoveNextAsync());
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await running.MoveNextAsync())
            {
                // What had come by then.
            }
        });
        Assert.Equal((0, 0), Turns(cluster, holder));
        Assert.Equal(2, (await OrleansCluster.SayAsync(door, "c", "Hello")).Version);
    }

    [Fact]
    public async Task ACallerThatAsksForNothingIsGoneAndTheTurnEnds()
    {
        // What Orleans waits for is counted in these: they are half a minute as a rule.
        await using OrleansCluster cluster = await StartAsync("--Orleans:Messaging:ResponseTimeout=00:00:01");
        int holder = cluster.HolderOf("c");
        IAsyncEnumerator<TurnBatch> batches = GrainFrom(cluster, 1 - holder).TurnAsync(Endless(cluster)).GetAsyncEnumerator();
        Assert.True(await batches.MoveNextAsync());
        await Eventually.TrueAsync(() => Turns(cluster, holder) == (0, 0));
        await Assert.ThrowsAsync<EnumerationAbortedException>(async () =>
        {
            while (await batches.MoveNextAsync())
            {
                // Nothing is left of it.
            }
        });
    }

    /// <summary>No message tells Orleans of the tokens that such a turn gives, and it lasts longer than a conversation may be idle.</summary>
    [Fact]
    public async Task ATurnOfItsOwnSiloKeepsTheConversationThere()
    {
        await using OrleansCluster cluster = await StartAsync("--KvTiers:Orleans:IdleAfter=2s");
        int holder = cluster.HolderOf("c");
        long begun = Stopwatch.GetTimestamp();
        await foreach (TurnEvent one in cluster.Door(holder).TurnAsync(OrleansCluster.Key("c"), Endless(cluster)))
        {
            Assert.IsNotType<TurnCompleted>(one);
            if (Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(8))
                break;
        }

        Assert.Equal(1, cluster.ActiveOn(holder));
        await Eventually.TrueAsync(() => cluster.ActiveOn(holder) == 0);
    }

    [Fact]
    public async Task WithTheGrainItsTurnEndsAndTheActorGoes()
    {
        await using OrleansCluster cluster = await StartAsync();
        int holder = cluster.HolderOf("c");
        IAsyncEnumerator<TurnBatch> batches = GrainFrom(cluster, 1 - holder).TurnAsync(Endless(cluster)).GetAsyncEnumerator();
        Assert.True(await batches.MoveNextAsync());
        IManagementGrain management = cluster.Silos[holder].Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        for (int tries = 0; tries < 100 && cluster.ActiveOn(holder) > 0; tries++)
        {
            await management.ForceActivationCollection(TimeSpan.Zero);
            await Task.Delay(20);
        }

        Assert.Equal((0, 0), Turns(cluster, holder));
        Assert.Equal((0, 0), (cluster.ActiveOn(holder), cluster.Silos[holder].Model.Cache.Snapshot().Leases));
    }

    [Fact]
    public async Task ATurnThatOutlastsTheGraceOfAStopEndsAndAnotherSiloTakesTheConversationUp()
    {
        await using OrleansCluster cluster = await StartAsync("--stop-grace", "1s");
        int holder = cluster.HolderOf("c");
        IConversations door = cluster.Door(1 - holder);
        Task stopping = Task.CompletedTask;
        await Assert.ThrowsAsync<ConversationUnreachableException>(async () =>
        {
            await foreach (TurnEvent one in door.TurnAsync(OrleansCluster.Key("c"), Endless(cluster)))
            {
                if (one is TurnToken && stopping.IsCompleted)
                    stopping = cluster.Silos[holder].StopAsync();
            }
        });
        await stopping;
        Assert.Equal(2, (await OrleansCluster.SayAsync(door, "c", "Still there?")).Version);
    }

    private static async Task<OrleansCluster> StartAsync(params string[] arguments)
    {
        OrleansCluster cluster = await OrleansCluster.StartAsync(2, ["--model", TestModels.Slow, .. arguments]);
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        return cluster;
    }

    private static (int Running, int Waiting) Turns(OrleansCluster cluster, int silo) =>
        (cluster.Silos[silo].Model.Engine.Snapshot().Running, cluster.Silos[silo].Model.Engine.Snapshot().Waiting);

    private static IConversationGrain GrainFrom(OrleansCluster cluster, int silo) =>
        cluster.Silos[silo].Services.GetRequiredService<IGrainFactory>().GetGrain<IConversationGrain>(OrleansCluster.Key("c").ToString());

    private static TurnRequest Endless(OrleansCluster cluster) => new()
    {
        Messages = [new ChatMessage("user", "Go on for ever.")],
        Options = new() { MaxTokens = TestModels.Endless, Temperature = 0, LogitBias = [.. cluster.Silos[0].Model.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))] },
    };
}
