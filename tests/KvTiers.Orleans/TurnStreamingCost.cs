using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Clients;
using KvTiers.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Orleans.Tests;

/// <summary>The ways in which a turn's events can come from another silo, in turns: time, tokens a second, messages and bytes.</summary>
public sealed class TurnStreamingCost(ITestOutputHelper output)
{
    private static readonly string[] Ways = ["fetches", "stream"];

    [Theory(Explicit = true)]
    [InlineData("tiny", 8, 10, 1)]
    [InlineData("demo", 32, 10, 1)]
    [InlineData("tiny", 8, 10, 2)]
    [InlineData("demo", 32, 10, 2)]
    [InlineData("demo", 32, 0, 2)]
    [InlineData("slow", 32, 10, 2)]
    public async Task Turns(string model, int tokens, int pause, int threads)
    {
        int turns = model == "slow" ? 100 : 400;
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--model", FolderOf(model), "--threads", $"{threads}");
        await OrleansCluster.CreateAsync(cluster.Door(0), "c", "Be kind.");
        int holder = cluster.HolderOf("c");
        List<(string Name, IConversations Door)> doors = [("in process", cluster.Silos[holder].Model.ChatParts.Conversations!)];
        foreach (string way in Ways)
            doors.Add(($"this silo, {way}", DoorOf(cluster, holder, way)));
        foreach (string way in Ways)
            doors.Add(($"another silo, {way}", DoorOf(cluster, 1 - holder, way)));
        LogitBias[] endless = EndlessOf(cluster);
        var taken = new (double First, double All)[doors.Count, turns];
        for (int turn = -30; turn < turns; turn++)
        {
            for (int d = 0; d < doors.Count; d++)
            {
                int door = (d + Math.Max(turn, 0)) % doors.Count;
                if (pause > 0)
                    await Task.Delay(pause);
                (double, double) times = await TakeAsync(doors[door].Door, "c", tokens, endless);
                if (turn >= 0)
                    taken[door, turn] = times;
            }
        }

        output.WriteLine($"{model}, {tokens} tokens, {pause} ms between turns, {threads} threads a silo; medians of {turns}");
        double First(int door) => Median(Enumerable.Range(0, turns).Select(turn => taken[door, turn].First));
        double All(int door) => Median(Enumerable.Range(0, turns).Select(turn => taken[door, turn].All));
        string Difference(int door, Func<(double First, double All), double> of)
        {
            double[] differences = [.. Enumerable.Range(0, turns).Select(turn => of(taken[door, turn]) - of(taken[Ways.Length + 1, turn])).Order()];
            int reach = (int)(0.98 * Math.Sqrt(turns));
            return FormattableString.Invariant($"{differences[turns / 2]:+0.000;-0.000} ms ({differences[(turns / 2) - reach]:+0.000;-0.000} to {differences[(turns / 2) + reach]:+0.000;-0.000})");
        }

        double Rate(int door) => Median(Enumerable.Range(0, turns).Select(turn => (tokens - 1) * 1000 / (taken[door, turn].All - taken[door, turn].First)));
        for (int door = Ways.Length + 2; door < doors.Count; door++)
            output.WriteLine($"{doors[door].Name} against {doors[Ways.Length + 1].Name}: turn {Difference(door, time => time.All)}, first token {Difference(door, time => time.First)}");
        for (int door = 0; door < doors.Count; door++)
        {
            (double messages, double bytes, double processor) = await CountAsync(doors[door].Door, tokens, endless);
            output.WriteLine(FormattableString.Invariant(
                $"{doors[door].Name}: turn {All(door):0.000} ms ({All(door) - All(0):+0.000;-0.000}), first token {First(door):0.000} ms ({First(door) - First(0):+0.000;-0.000}), {Rate(door):0} tokens/s after it, {messages:0.0} messages, {bytes:0} bytes, processor {processor:0.00} ms"));
        }
    }

    [Theory(Explicit = true)]
    [InlineData("tiny", 64, 1)]
    [InlineData("demo", 64, 1)]
    [InlineData("demo", 64, 2)]
    public async Task ManyAtOnce(string model, int tokens, int threads)
    {
        const int Conversations = 8, Rounds = 20;
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(2, "--model", FolderOf(model), "--threads", $"{threads}");
        for (int i = 0; i < Conversations; i++)
            await OrleansCluster.CreateAsync(cluster.Door(0), $"c{i}", $"Be kind {i}.");
        int[] holders = [.. Enumerable.Range(0, Conversations).Select(i => cluster.HolderOf($"c{i}"))];
        LogitBias[] endless = EndlessOf(cluster);
        List<(string Name, Func<int, IConversations> Door)> doors = [("in process", i => cluster.Silos[holders[i]].Model.ChatParts.Conversations!)];
        foreach (string way in Ways)
            doors.Add(($"another silo, {way}", i => DoorOf(cluster, 1 - holders[i], way)));
        var seconds = new double[doors.Count, Rounds];
        for (int round = -5; round < Rounds; round++)
        {
            for (int d = 0; d < doors.Count; d++)
            {
                int door = (d + Math.Max(round, 0)) % doors.Count;
                await Task.Delay(20);
                long start = Stopwatch.GetTimestamp();
                await Task.WhenAll(Enumerable.Range(0, Conversations).Select(i => Task.Run(() => TakeAsync(doors[door].Door(i), $"c{i}", tokens, endless))));
                if (round >= 0)
                    seconds[door, round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        output.WriteLine($"{model}, {Conversations} turns of {tokens} tokens at once, {threads} threads a silo; medians of {Rounds}");
        for (int door = 0; door < doors.Count; door++)
            output.WriteLine(FormattableString.Invariant($"{doors[door].Name}: {Conversations * tokens / Median(Enumerable.Range(0, Rounds).Select(round => seconds[door, round])):0} tokens/s"));
    }

    private static ClusterConversations DoorOf(OrleansCluster cluster, int silo, string way) => new(cluster.Silos[silo].Services.GetRequiredService<IGrainFactory>()) { Fetches = way == "fetches" };

    private static LogitBias[] EndlessOf(OrleansCluster cluster) => [.. cluster.Silos[0].Model.Tokenizer.EndOfText.Select(id => new LogitBias(id, -100))];

    private static string FolderOf(string model)
    {
        string root = typeof(TurnStreamingCost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
        return model == "demo" ? Path.Combine(root, "models", "demo") : model == "slow" ? TestModels.Slow : TestModels.Tiny;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] all = [.. values.Order()];
        return all[all.Length / 2];
    }

    // Of both silos, as they are in one process: what goes over the connection between them.
    private static async Task<(double Messages, double Bytes, double Processor)> CountAsync(IConversations door, int tokens, LogitBias[] endless)
    {
        const int Turns = 40;
        long messages = 0, bytes = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "orleans-messaging-sent-messages-size")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, size, _, _) =>
        {
            Interlocked.Increment(ref messages);
            Interlocked.Add(ref bytes, size);
        });
        listener.Start();
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        for (int turn = 0; turn < Turns; turn++)
        {
            await TakeAsync(door, "c", tokens, endless);
            await Task.Delay(5);
        }

        TimeSpan spent = Process.GetCurrentProcess().TotalProcessorTime - before;
        return ((double)messages / Turns, (double)bytes / Turns, spent.TotalMilliseconds / Turns);
    }

    private static async Task<(double First, double All)> TakeAsync(IConversations door, string id, int tokens, LogitBias[] endless)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = [new ChatMessage("system", "Be kind."), new ChatMessage("user", "Hello")],
            Options = new() { MaxTokens = tokens, Temperature = 0, LogitBias = endless },
        };
        using var leaving = new CancellationTokenSource();
        long start = Stopwatch.GetTimestamp();
        double? first = null;
        int seen = 0;
        await foreach (TurnEvent one in door.TurnAsync(OrleansCluster.Key(id), request, leaving.Token))
        {
            if (one is TurnToken)
            {
                seen++;
                first ??= Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        }

        Assert.Equal(tokens, seen);
        return (first!.Value, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }
}
