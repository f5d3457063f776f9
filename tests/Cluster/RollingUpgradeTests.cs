using KvTiers.Cli.Load;
using KvTiers.Client;
using KvTiers.Sessions;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>Three silos of one cluster under load, of which one after the other is stopped and started again with the next version: the two talk with each other meanwhile.</summary>
public sealed class RollingUpgradeTests(ITestOutputHelper output)
{
    private const int Conversations = 16;
    private const int Turns = 5;
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
            Patience = HangLimit.Time,
            MaxTime = TimeSpan.FromMinutes(10),
        };
        Task<LoadResult> loading = new LoadRun(options, clients, mayThink: turn => pace.TurnAsync(turn, Turns)).RunAsync(() => { }, CancellationToken.None);
        foreach (string silo in Silos)
        {
            await silos.RunAsync("restart", silo, "--build", next.Folder);
            pace.Next();
        }

        LoadResult result = await loading;
        string status = await silos.RunAsync("status");
        output.WriteLine($"{result.Turns.Count} turns in {result.Seconds:0} s, {result.Verified} answers compared, {result.Wrong.Count} wrong or lost, {result.FailedTurns} given up, {result.FoundStored} found stored");
        foreach ((string kind, int count) in result.Faults) output.WriteLine($"failed calls, {kind}: {count}");

        Assert.All(Silos, silo => Assert.Contains($"{silo}: ready, of {next.Folder}", status, StringComparison.Ordinal));
        Assert.Empty(result.Wrong);
        Assert.Equal((Conversations * Turns, Conversations * Turns), (result.Turns.Count, result.Verified));
        Assert.Equal(Conversations, (await clients[0].ListAsync(KvTiersClientOptions.DefaultTenant)).Count);
    }
}
