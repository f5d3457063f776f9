using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Turns;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Turns;

/// <summary>What the engine generates, as an answer.</summary>
internal static class EngineAnswer
{
    /// <summary>Runs the requests side by side. The choices of the first come first, then those of the second, ….</summary>
    /// <remarks>Bad arguments throw before the first event. When one request fails or the reader leaves, the others stop.</remarks>
    public static async IAsyncEnumerable<AnswerEvent> RunAsync(
        LoadedModel model, IReadOnlyList<GenerationRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tokens = Channel.CreateUnbounded<AnswerToken>(new UnboundedChannelOptions { SingleReader = true });
        Task<GenerationResult>[] running = [];
        try
        {
            Generation[] generations = [.. requests.Select(request => model.Engine.Submit(request, stop.Token))];
            int first = 0;
            running = [.. generations.Select((generation, i) =>
            {
                Task<GenerationResult> task = PumpAsync(generation, first, model, tokens.Writer, stop.Token);
                first += requests[i].Choices;
                return task;
            })];
            _ = CompleteAsync(running, tokens.Writer);
            await foreach (AnswerToken token in tokens.Reader.ReadAllAsync(cancellationToken)) yield return token;
        }
        finally
        {
            await stop.CancelAsync();
        }

        yield return End(await Task.WhenAll(running), model);
    }

    private static async Task<GenerationResult> PumpAsync(
        Generation generation, int firstChoice, LoadedModel model, ChannelWriter<AnswerToken> writer, CancellationToken cancellationToken)
    {
        await foreach (GeneratedToken token in generation.ReadAllAsync(cancellationToken))
            await writer.WriteAsync(new AnswerToken(firstChoice + token.Choice, token.Id, token.Text, model.View(token.LogProb)), cancellationToken);
        return await generation.Completion;
    }

    // The first failure ends the reader; it stops the others.
    private static async Task CompleteAsync(Task<GenerationResult>[] running, ChannelWriter<AnswerToken> writer)
    {
        try
        {
            await foreach (Task<GenerationResult> task in Task.WhenEach(running)) await task;
            writer.Complete();
        }
        catch (Exception e)
        {
            writer.Complete(e);
        }
    }

    private static AnswerEnd End(IReadOnlyList<GenerationResult> results, LoadedModel model)
    {
        ChoiceResult[] choices = [.. results.SelectMany(result => result.Choices)];
        var usage = new TurnUsage
        {
            PromptTokens = results.Sum(result => result.PromptTokenCount),
            CompletionTokens = choices.Sum(choice => choice.TokenIds.Count),
            Cached = CachedTokenCounts.Of(results),
            ComputedTokens = results.Sum(result => result.ComputedTokenCount),
            InvalidatedTokens = 0,
            TtftMs = results.Min(result => result.TimeToFirstToken.TotalMilliseconds),
            TotalMs = results.Max(result => result.Duration.TotalMilliseconds),
        };
        return new AnswerEnd([.. choices.Select(choice => choice.FinishReason == FinishReason.Length ? "length" : "stop")], usage, null)
        {
            PromptLogProbs = [.. results.Select(result => result.PromptLogProbs)],
        };
    }
}
