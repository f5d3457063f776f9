using System.Globalization;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Tests;

/// <summary>How many tokens long conversations compute under each policy, beside what cutting just what is too much would compute.</summary>
public sealed class ContextCostTests(TinyModel model, ITestOutputHelper output)
{
    [Theory]
    [InlineData(ContextPolicy.DropOldest)]
    [InlineData(ContextPolicy.KeepEnds)]
    [InlineData(ContextPolicy.Summarize)]
    public async Task CuttingRarelyAndByMuchComputesAThirdOfWhatCuttingEachTurnDoesAtMost(ContextPolicy policy)
    {
        // The request for a summary alone is about a hundred of the tiny model's tokens, and takes up the room of a small context.
        int contextTokens = policy == ContextPolicy.Summarize ? 1024 : 512;
        Cost cost = await TalkAsync(policy, turns: 60, contextTokens, answerTokens: 12, summaryTokens: 24);
        Assert.Equal(0, cost.Refusals);
        Assert.InRange(cost.Cuts, 3, 20);
        Assert.True(3 * (cost.Computed + cost.SummaryComputed) < cost.Naive, cost.ToString());
        Assert.True(cost.Computed < 4 * cost.New, cost.ToString());
    }

    // dotnet run --project tests/KvTiers.Sessions -c Release -- -explicit only -class KvTiers.Sessions.Tests.ContextCostTests -showLiveOutput
    [Fact(Explicit = true)]
    public async Task TwoHundredTurnsIn2048Tokens()
    {
        output.WriteLine("| policy | turns refused | cuts | messages left out | tokens that were new | tokens computed | of them for summaries | computed by cutting each turn |");
        output.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (ContextPolicy policy in Enum.GetValues<ContextPolicy>())
        {
            Cost cost = await TalkAsync(policy, turns: 200, contextTokens: 2048, answerTokens: 32, summaryTokens: 128);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| `{policy}` | {cost.Refusals} | {cost.Cuts} | {cost.Dropped} | {cost.New:N0} | {cost.Computed + cost.SummaryComputed:N0} | {cost.SummaryComputed:N0} | {(cost.Cuts == 0 ? "" : cost.Naive.ToString("N0", CultureInfo.InvariantCulture))} |"));
            Assert.Equal(policy == ContextPolicy.Refuse, cost.Refusals > 0);
        }
    }

    private async Task<Cost> TalkAsync(ContextPolicy policy, int turns, int contextTokens, int answerTokens, int summaryTokens)
    {
        await using var host = new ConversationHost(model, contextTokens: contextTokens, conversations: new()
        {
            ModelName = "tiny",
            Defaults = new() { MaxTokens = answerTokens, Temperature = 0 },
            ContextPolicy = policy,
            SummaryTokens = summaryTokens,
        });
        await host.Create();
        var cost = new Cost();
        for (int turn = 0; turn < turns; turn++)
        {
            try
            {
                TakenTurn taken = await host.Turn($"Question {turn}: what shall we do with the tall ship early in the morning?");
                cost = cost.With(taken.Usage);
            }
            catch (ArgumentException)
            {
                cost = cost with { Refusals = cost.Refusals + 1 };
            }
        }

        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        int maxPromptTokens = contextTokens - answerTokens;
        int generationPrompt = model.Prompt.GenerationPromptIds.Count;
        return cost with
        {
            Naive = Naive([.. view.Messages.Select(message => message.TokenCount)], generationPrompt, maxPromptTokens),
            New = view.Messages.Where(message => message.Role != "assistant").Sum(message => message.TokenCount) + ((turns - cost.Refusals) * generationPrompt),
        };
    }

    // The tokens computed when each prompt leaves out just as many of the oldest turns as it must. sizes: the system prompt, then question and answer in turn.
    private static int Naive(int[] sizes, int generationPrompt, int maxPromptTokens)
    {
        int computed = 0;
        int first = 1;
        int found = 0;
        for (int question = 1; question < sizes.Length; question += 2)
        {
            int before = first;
            while (PromptTokens() > maxPromptTokens)
                first += 2;
            computed += PromptTokens() - (first > before ? sizes[0] : found);
            found = PromptTokens() - generationPrompt + sizes[question + 1] - 1;

            int PromptTokens() => sizes[0] + sizes[first..(question + 1)].Sum() + generationPrompt;
        }

        return computed;
    }

    private sealed record Cost
    {
        public int Refusals { get; init; }

        public int Cuts { get; init; }

        public int Dropped { get; init; }

        /// <summary>Prompt tokens computed in turns.</summary>
        public int Computed { get; init; }

        /// <summary>Prompt tokens computed for summaries.</summary>
        public int SummaryComputed { get; init; }

        /// <summary>Tokens of system prompt and questions, each of which any cache computes once.</summary>
        public int New { get; init; }

        /// <summary>Prompt tokens computed when each turn leaves out just what it must.</summary>
        public int Naive { get; init; }

        public Cost With(TurnUsage usage) => this with
        {
            Cuts = Cuts + (usage.Cut is null ? 0 : 1),
            Dropped = Dropped + (usage.Cut?.MessagesDropped ?? 0),
            Computed = Computed + usage.ComputedTokens,
            SummaryComputed = SummaryComputed + (usage.Cut?.Summary is { } summary ? summary.PromptTokens - summary.CachedTokens : 0),
        };
    }
}
