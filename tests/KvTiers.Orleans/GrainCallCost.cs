using System.Diagnostics;
using System.Reflection;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions;

namespace KvTiers.Orleans.Tests;

/// <summary>What a grain call adds to a turn: the same turn in process, through a grain of the same silo, and through one of another silo, by turns.</summary>
/// <remarks>Measured when asked for: <c>dotnet KvTiers.Orleans.Tests.dll -explicit only</c>.</remarks>
public sealed class GrainCallCost(ITestOutputHelper output)
{
    private const int Turns = 300;
    private const int Tokens = 32;

    [Fact(Explicit = true)]
    public async Task MediansOfATurn()
    {
        string root = typeof(GrainCallCost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--model", Path.Combine(root, "models", "demo"));
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        int holder = cluster.HolderOf("c");
        (string Way, IConversations Door)[] ways =
        [
            ("in process", cluster.Silos[holder].Model.ChatParts.Conversations!),
            ("grain of this silo", cluster.Door(holder)),
            ("grain of another silo", cluster.Door(1 - holder)),
        ];
        LogitBias[] endless = [.. cluster.Silos[0].Model.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))];
        double[][] milliseconds = [.. ways.Select(_ => new double[Turns])];
        for (int turn = -20; turn < Turns; turn++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                double taken = await TakeAsync(ways[way].Door, endless);
                if (turn >= 0)
                    milliseconds[way][turn] = taken;
            }
        }

        double[] medians = [.. milliseconds.Select(times => times.Order().ElementAt(Turns / 2))];
        for (int way = 0; way < ways.Length; way++)
            output.WriteLine(FormattableString.Invariant($"{ways[way].Way}: {medians[way]:0.000} ms, {medians[way] - medians[0]:+0.000;-0.000} ms; {Turns} turns of {Tokens} tokens"));
    }

    private static async Task<double> TakeAsync(IConversations door, LogitBias[] endless)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = [new ChatMessage("system", "Be kind."), new ChatMessage("user", "Hello")],
            Options = new() { MaxTokens = Tokens, Temperature = 0, LogitBias = endless },
        };
        long start = Stopwatch.GetTimestamp();
        await foreach (TurnEvent one in door.TurnAsync(OrleansCluster.Key("c"), request))
            _ = one;
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
