using System.Diagnostics;
using System.Reflection;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Tests;

/// <summary>What a grain call adds to a turn: the same turn in process, through a grain of the same silo, and through one of another silo, by turns.</summary>
/// <remarks>Measured when asked for: <c>dotnet KvTiers.Orleans.Tests.dll -explicit only</c>.</remarks>
public sealed class GrainCallCost(ITestOutputHelper output)
{
    private const int Turns = 300;

    /// <summary>With a pause each way pays for itself alone: what a turn leaves to do is done before the next begins.</summary>
    [Theory(Explicit = true)]
    [InlineData("tiny", 8, 10, 1)]
    [InlineData("demo", 32, 10, 1)]
    [InlineData("tiny", 8, 10, 2)]
    [InlineData("demo", 32, 10, 2)]
    [InlineData("demo", 32, 0, 2)]
    public async Task MediansOfATurn(string model, int tokens, int pauseMilliseconds, int threads)
    {
        string root = typeof(GrainCallCost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
        string folder = model == "demo" ? Path.Combine(root, "models", "demo") : TestModels.Tiny;
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--model", folder, "--threads", $"{threads}");
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        int holder = cluster.HolderOf("c");
        (string Way, IConversations Door)[] ways =
        [
            ("in process", cluster.Silos[holder].Model.ChatParts.Conversations!),
            ("this silo", cluster.Door(holder)),
            ("another silo", cluster.Door(1 - holder)),
        ];
        LogitBias[] endless = [.. cluster.Silos[0].Model.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))];
        (double First, double All)[][] milliseconds = [.. ways.Select(_ => new (double, double)[Turns])];
        double[][] calls = [.. ways.Select(_ => new double[Turns])];
        for (int turn = -50; turn < Turns; turn++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                if (pauseMilliseconds > 0)
                    await Task.Delay(pauseMilliseconds);
                (double, double) taken = await TakeAsync(ways[way].Door, tokens, endless);
                if (pauseMilliseconds > 0)
                    await Task.Delay(pauseMilliseconds);
                double call = await CallAsync(ways[way].Door);
                if (turn >= 0)
                    (milliseconds[way][turn], calls[way][turn]) = (taken, call);
            }
        }

        output.WriteLine($"{model}, {tokens} tokens, {pauseMilliseconds} ms between turns, {threads} threads a silo; medians of {Turns}");
        (double First, double All)[] medians = [.. milliseconds.Select(times => (MedianOf(times.Select(time => time.First)), MedianOf(times.Select(time => time.All))))];
        for (int way = 0; way < ways.Length; way++)
        {
            (double first, double all) = medians[way];
            output.WriteLine(FormattableString.Invariant(
                $"{ways[way].Way}: turn {all:0.000} ms ({all - medians[0].All:+0.000;-0.000}), first token {first:0.000} ms ({first - medians[0].First:+0.000;-0.000}), a call that does nothing {MedianOf(calls[way]):0.000} ms"));
        }
    }

    // The least that a call costs: there is no pin.
    private static async Task<double> CallAsync(IConversations door)
    {
        long start = Stopwatch.GetTimestamp();
        await door.UnpinAsync(OrleansCluster.Key("c"));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double MedianOf(IEnumerable<double> times) => times.Order().ElementAt(Turns / 2);

    private static async Task<(double First, double All)> TakeAsync(IConversations door, int tokens, LogitBias[] endless)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = [new ChatMessage("system", "Be kind."), new ChatMessage("user", "Hello")],
            Options = new() { MaxTokens = tokens, Temperature = 0, LogitBias = endless },
        };
        long start = Stopwatch.GetTimestamp();
        double? first = null;
        await foreach (TurnEvent one in door.TurnAsync(OrleansCluster.Key("c"), request))
        {
            if (one is TurnToken)
                first ??= Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return (first!.Value, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }
}
