using System.CommandLine;
using KvTiers.Bench.EngineSpeed;
using KvTiers.Bench.Reporting;
using KvTiers.MakeModel;

namespace KvTiers.Bench.Serving;

/// <summary>
/// <c>serving</c>: TTFT, TPOT and tokens a second of a real server over HTTP, at 1 to 64 conversations at one time, by where the prompts' prefixes are. The
/// baseline is the same with the cache off.
/// </summary>
internal static class ServingCommand
{
    // Those that one server can take after each other.
    private static readonly PrefixPlace[][] Servers =
        [[PrefixPlace.Off, PrefixPlace.Cold, PrefixPlace.Hot], [PrefixPlace.Ram], [PrefixPlace.Disk], [PrefixPlace.Redis]];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = EngineCommand.ModelsOption();
        var shape = new Option<string>("--shape") { Description = "Which model's dimensions to use, with random weights.", DefaultValueFactory = _ => "smollm2-135m" };
        shape.AcceptOnlyFromAmong([.. ModelShape.All.Select(known => known.Name)]);
        var prefix = new Option<int>("--prefix-tokens") { Description = "Tokens of a prefix, about.", DefaultValueFactory = _ => 512 };
        var answer = new Option<int>("--answer-tokens") { Description = "Tokens of each answer.", DefaultValueFactory = _ => 32 };
        var answers = new Option<int>("--answers") { Description = "Answers of a row at least.", DefaultValueFactory = _ => 24 };
        var only = new Option<PrefixPlace[]>("--only")
        {
            Description = "Places of the prefix.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => Enum.GetValues<PrefixPlace>(),
        };
        var command = new Command("serving", "Measure TTFT, TPOT and tokens a second of the server over HTTP, by conversations at one time and by the tier the prefix is in.")
        {
            output, models, shape, prefix, answer, answers, only,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            string name = parsed.GetRequiredValue(shape);
            string model = BenchModel.Make(name, parsed.GetRequiredValue(models));
            using var result = new ServingResult(parsed.GetValue(output), name);
            var plan = new ServingPlan(parsed.GetValue(answer), parsed.GetValue(answers));
            foreach (PrefixPlace[] places in Servers.Select(server => server.Intersect(parsed.GetRequiredValue(only)).ToArray()).Where(places => places.Length > 0))
                await RunAsync(model, places, new ServingPrompts(model, parsed.GetValue(prefix), seed: 1), plan, result, cancel);

            result.SavePlots();
        });
        return command;
    }

    private static async Task RunAsync(
        string model, PrefixPlace[] places, ServingPrompts prompts, ServingPlan plan, ServingResult result, CancellationToken cancel)
    {
        bool isRedis = places[0] == PrefixPlace.Redis;
        if (isRedis && !RedisProcess.IsAvailable)
        {
            Console.WriteLine("redis-server is not installed: the rows of Redis are left out");
            return;
        }

        using RedisProcess? redis = isRedis ? new RedisProcess() : null;
        await using ServerProcess server = await ServerProcess.StartAsync(model, ServingRun.ArgumentsFor(places[0], redis is null ? null : $"127.0.0.1:{redis.Port}"), cancel);
        var run = new ServingRun(new ServingClient(server, prompts.EndOfText), prompts, plan);
        await run.WarmUpAsync(cancel);
        foreach (PrefixPlace place in places)
        {
            if (place is not (PrefixPlace.Off or PrefixPlace.Cold))
                await run.PlaceAsync(cancel);

            foreach (int level in ServingPlan.Levels)
                result.Add(await run.TakeAsync(place, level, cancel));
        }
    }
}
