using KvTiers.Cli.Load;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cluster.Tests;

/// <summary>Three silos of one cluster under load, of which one after the other is stopped and started again with the next version: the two talk with each other meanwhile.</summary>
public sealed class RollingUpgradeTests(ITestOutputHelper output)
{
    private const int Conversations = 16;
    private const int Turns = 5;
    private const int Mixed = 6;
    private static readonly string[] Silos = ["silo-1", "silo-2", "silo-3"];

    [Fact]
    public async Task NoTurnIsLostAndNoAnswerWrong()
    {
        using NextBuild next = await NextBuild.MakeAsync();
        await using ThreeSilos silos = await ThreeSilos.StartAsync($"--model {TestModels.Tiny} --KvTiers:Promotion=always", cluster: true);
        IConversations[] clients = [.. Enumerable.Range(0, Silos.Length).Select(silos.ClientOf)];
        var pace = new FaultPace(Silos.Length);
        var options = new LoadOptions
        {
            Urls = silos.Urls,
            Conversations = Conversations,
            Turns = Turns,
            SystemTokens = 100,
            Think = TimeSpan.FromSeconds(1),
            Verify = true,
            Patience = TimeSpan.FromMinutes(2),
            MaxTime = TimeSpan.FromMinutes(5),
        };
        Task<LoadResult> loading = new LoadRun(options, clients, mayThink: turn => pace.TurnAsync(turn, Turns)).RunAsync(() => { }, CancellationToken.None);
        foreach (string silo in Silos)
        {
            await silos.RunAsync("restart", silo, "--build", next.Folder);
            await SpeakAsync(clients, silo);
            pace.Next();
        }

        LoadResult result = await loading;
        string status = await silos.RunAsync("status");
        output.WriteLine($"{result.Turns.Count} turns in {result.Seconds:0} s, {result.Verified} answers compared, {result.Wrong.Count} wrong or lost, {result.FailedTurns} given up, {result.FoundStored} found stored");
        foreach ((string kind, int count) in result.Faults) output.WriteLine($"failed calls, {kind}: {count}");

        Assert.All(Silos, silo => Assert.Contains($"{silo}: ready, of {next.Folder}", status, StringComparison.Ordinal));
        Assert.Empty(result.Wrong);
        Assert.Equal((Conversations * Turns, Conversations * Turns), (result.Turns.Count, result.Verified));
        Assert.Equal(Conversations + (Silos.Length * Mixed), (await clients[0].ListAsync(KvTiersClientOptions.DefaultTenant)).Count);
    }

    // While no silo comes or goes, every silo takes a turn of every conversation, wherever that is: here nothing is tried again.
    private static async Task SpeakAsync(IConversations[] clients, string after)
    {
        for (int i = 0; i < Mixed; i++)
        {
            var key = new ConversationKey(KvTiersClientOptions.DefaultTenant, $"after-{after}-{i}");
            await clients[i % clients.Length].CreateAsync(key.Tenant, new CreateConversation { Id = key.Id, Messages = [new ChatMessage("system", $"{i}: so begins this one and no other.")] });
            for (int silo = 0; silo < clients.Length; silo++)
                Assert.Equal(2 + silo, (await SharedStore.SayAsync(clients[silo], key, "Go on.")).Version);
        }
    }
}
