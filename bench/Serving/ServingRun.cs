using System.Diagnostics;
using KvTiers.Conversations;

namespace KvTiers.Bench.Serving;

/// <summary>Takes the rows of one server: puts prefixes where they are to be, asks, and checks where the tokens came from.</summary>
internal sealed class ServingRun(ServingClient client, ServingPrompts prompts, ServingPlan plan)
{
    private const string HotCapacity = "2GiB";
    private const string LeastCapacity = "1MiB";
    private const int WarmUpAnswers = 8;

    private readonly List<(string System, string Question)> _placed = [];

    /// <summary>Arguments of a server whose prefixes can be in a place, and in the hot tier.</summary>
    public static IReadOnlyList<string> ArgumentsFor(PrefixPlace place, string? redis) =>
    [
        "--hot", HotCapacity, "--kv", "bf16", "--KvTiers:Promotion=always",
        .. place switch
        {
            PrefixPlace.Ram => (string[])["--ram", "3GiB"],
            PrefixPlace.Disk => ["--disk", "4GiB", "--KvTiers:DiskWrite=on-seal"],
            PrefixPlace.Redis => ["--redis", redis!, "--KvTiers:RedisBytes=4GiB", "--KvTiers:RedisDeadline=10s"],
            _ => [],
        },
    ];

    /// <summary>Has the server compile what the rows use.</summary>
    public Task WarmUpAsync(CancellationToken cancel) => SideBySideAsync(
        WarmUpAnswers, WarmUpAnswers, async _ => await client.AskAsync(prompts.System(), prompts.Question(), plan.AnswerTokens, cancel));

    /// <summary>Computes as many prefixes as the widest row asks for.</summary>
    public async Task PlaceAsync(CancellationToken cancel)
    {
        for (int i = 0; i < plan.AnswersOf(ServingPlan.Levels[^1]); i++)
            _placed.Add((prompts.System(), prompts.Question()));

        await SideBySideAsync(_placed.Count, ServingPlan.Levels[^1], async i => await client.AskAsync(_placed[i].System, _placed[i].Question, 1, cancel));
    }

    /// <summary>One row.</summary>
    /// <exception cref="InvalidOperationException">Tokens of an answer came from elsewhere, or it has another length than asked for.</exception>
    public async Task<ServingRow> TakeAsync(PrefixPlace place, int level, CancellationToken cancel)
    {
        int count = plan.AnswersOf(level);
        bool isNew = place is PrefixPlace.Off or PrefixPlace.Cold;
        (string System, string Question)[] asked = [.. Enumerable.Range(0, count).Select(i => (isNew ? prompts.System() : _placed[i].System, prompts.Question()))];
        int[] common = [.. asked.Select((ask, i) => prompts.CommonTokens(ask.System, ask.Question, isNew ? prompts.Question() : _placed[i].Question))];
        var keys = new List<ConversationKey>();
        foreach ((string system, _) in place == PrefixPlace.Off ? asked : [])
            keys.Add(await client.CreateAsync(system, cancel));

        await CoolAsync(place, cancel);
        var answers = new ServedAnswer[count];
        int full = await client.FullCollectionsAsync(cancel);
        var clock = Stopwatch.StartNew();
        await SideBySideAsync(count, level, async i => answers[i] = place == PrefixPlace.Off
            ? await client.AskWithoutCacheAsync(keys[i], asked[i].Question, plan.AnswerTokens, cancel)
            : await client.AskAsync(asked[i].System, asked[i].Question, plan.AnswerTokens, cancel));
        double seconds = clock.Elapsed.TotalSeconds;
        full = await client.FullCollectionsAsync(cancel) - full;
        for (int i = 0; i < count; i++)
        {
            if (PrefixPlaceCheck.Fault(place, common[i], answers[i]) is { } fault)
                throw new InvalidOperationException(fault);

            if (answers[i].CompletionTokens != plan.AnswerTokens)
                throw new InvalidOperationException($"An answer has {answers[i].CompletionTokens} tokens; {plan.AnswerTokens} were asked for.");
        }

        return new ServingRow(place, level, common.Order().ElementAt(count / 2), answers, seconds, full);
    }

    // Blocks leave the hot tier downwards when it shrinks, the least recently used first: the few that stay are those of a prompt that no row asks for. What is in a tier that keeps its copies is there already, and is only forgotten above.
    private async Task CoolAsync(PrefixPlace place, CancellationToken cancel)
    {
        switch (place)
        {
            case PrefixPlace.Ram:
                await client.AskAsync(prompts.System(), prompts.Question(), 1, cancel);
                await client.ResizeAsync("hot", LeastCapacity, cancel);
                await client.DrainAsync(cancel);
                await client.ResizeAsync("hot", HotCapacity, cancel);
                break;
            case PrefixPlace.Disk or PrefixPlace.Redis:
                await client.DrainAsync(cancel);
                await client.ClearAsync("hot", cancel);
                break;
            default:
                break;
        }
    }

    private static async Task SideBySideAsync(int count, int level, Func<int, Task> ask)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, level).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
                await ask(i);
        }));
    }
}
