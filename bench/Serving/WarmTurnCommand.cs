using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.EngineSpeed;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Client;
using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Bench.Serving;

/// <summary>
/// <c>warm-turn</c>: the time to the first token of a turn that adds a message to a long cached conversation, through HTTP, beside the time in which the
/// model alone computes as many tokens at that depth, in turns.
/// </summary>
internal static class WarmTurnCommand
{
    private const int CachedTokens = 2000;
    private const int NewTokens = 50;
    private const int EngineRuns = 3;
    private static readonly ConversationKey Key = new(KvTiersClientOptions.DefaultTenant, "warm");

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = EngineCommand.ModelsOption();
        var repeat = new Option<int>("--repeat") { Description = "Turns; the median of the pairs' ratios is reported.", DefaultValueFactory = _ => 15 };
        var command = new Command("warm-turn", "Measure a turn on a cached conversation through HTTP beside the model's own time for its tokens.") { output, models, repeat };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(output), parsed.GetRequiredValue(models), parsed.GetValue(repeat), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? output, DirectoryInfo models, int repeat, CancellationToken cancel)
    {
        string folder = BenchModel.Make("smollm2-135m", models);
        await using ServerProcess server = await ServerProcess.StartAsync(folder, ["--hot", "512MiB"], cancel);
        HttpConversations conversations = new(server.Http, new KvTiersClientOptions { BaseAddress = server.Http.BaseAddress! });
        using SpeedModel engine = new(folder, new ModelOptions { Threads = Environment.ProcessorCount }, KvFormat.F32, 1, CachedTokens + (2 * NewTokens));
        Words words = new(1);
        await conversations.CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id }, cancel);
        double charactersPerToken = 3;
        TurnUsage usage = (await TurnAsync(conversations, words.Text((int)(CachedTokens * charactersPerToken)), cancel)).Usage;
        charactersPerToken *= (double)CachedTokens / usage.PromptTokens;
        await conversations.UndoAsync(Key, cancel);
        int held = (await TurnAsync(conversations, words.Text((int)(CachedTokens * charactersPerToken)), cancel)).Usage.PromptTokens;

        int characters = (int)(NewTokens * charactersPerToken);
        List<double> ratios = [], first = [], alone = [];
        (int cached, int computed) = (0, 0);
        for (int turn = -2; turn < repeat; turn++)
        {
            double seconds;
            (seconds, usage) = await TurnAsync(conversations, words.Text(characters), cancel);
            await conversations.UndoAsync(Key, cancel);
            if (usage.Cached.Hot < held)
                throw new InvalidOperationException($"Of {held} tokens only {usage.Cached.Hot} were hot: this was no warm turn.");
            if (turn < 0)
            {
                characters += (int)((NewTokens - usage.ComputedTokens) * charactersPerToken);
                continue;
            }

            (cached, computed) = (usage.Cached.Hot, usage.ComputedTokens);
            double own = Median([.. Enumerable.Range(0, EngineRuns).Select(_ => Seconds(() => engine.Prefill(computed, cached)))]);
            first.Add(seconds);
            alone.Add(own);
            ratios.Add(seconds / own);
        }

        using var result = ResultFile.Create(output, "warm-turn", "cached_tokens", "new_tokens", "model_ms", "ttft_ms", "ratio", "least_ratio", "greatest_ratio");
        result.Add(cached, computed, 1e3 * Median(alone), 1e3 * Median(first), Median(ratios), ratios.Min(), ratios.Max());
    }

    // Seconds until the first token is here.
    private static async Task<(double Seconds, TurnUsage Usage)> TurnAsync(HttpConversations conversations, string text, CancellationToken cancel)
    {
        TurnRequest request = new() { Messages = [new ChatMessage("user", text)], Options = new GenerationOptions { MaxTokens = 1, Temperature = 0 } };
        double seconds = 0;
        TurnUsage? usage = null;
        var clock = Stopwatch.StartNew();
        await foreach (TurnEvent step in conversations.TurnAsync(Key, request, cancel))
        {
            if (step is TurnToken && seconds == 0)
                seconds = clock.Elapsed.TotalSeconds;
            usage = (step as TurnCompleted)?.Usage ?? usage;
        }

        return (seconds, usage!);
    }

    private static double Seconds(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Words(int seed)
    {
        private readonly Random _random = new(seed);

        /// <summary>Words of random letters, so that no two texts begin alike.</summary>
        public string Text(int characters) =>
            string.Concat(Enumerable.Range(0, characters).Select(i => i % 6 == 5 ? ' ' : (char)('a' + _random.Next(26))));
    }
}
