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
    /// <remarks>
    /// Bad arguments throw before the first event. When one request fails or the reader leaves, the others stop. Blocks that a request keeps
    /// (<see cref="GenerationRequest.KeepLease"/>) are released once the reader has seen the end.
    /// </remarks>
    /// <param name="model">What answers.</param>
    /// <param name="requests">What is asked for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="cut">What was left out of the prompt; null = nothing.</param>
    public static async IAsyncEnumerable<AnswerEvent> RunAsync(
        LoadedModel model, IReadOnlyList<GenerationRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken, ContextCut? cut = null)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tokens = Channel.CreateUnbounded<AnswerEvent>(new UnboundedChannelOptions { SingleReader = true });
        Task<GenerationResult>[] running = [];
        try
        {
            Generation[] generations = [.. requests.Select(request => model.Engine.Submit(request, stop.Token))];
            int first = 0;
            running = [.. generations.Select((generation, i) =>
            {
                Task<GenerationResult> task = PumpAsync(generation, i, first, model, tokens.Writer, stop.Token);
                first += requests[i].Choices;
                return task;
            })];
            _ = CompleteAsync(running, tokens.Writer);
            await foreach (AnswerEvent answered in tokens.Reader.ReadAllAsync(cancellationToken)) yield return answered;
        }
        finally
        {
            await stop.CancelAsync();
        }

        GenerationResult[] results = await Task.WhenAll(running);
        try
        {
            yield return End(requests, results, cut);
        }
        finally
        {
            foreach (GenerationResult result in results) result.Lease?.Dispose();
        }
    }

    private static async Task<GenerationResult> PumpAsync(
        Generation generation, int prompt, int firstChoice, LoadedModel model, ChannelWriter<AnswerEvent> writer, CancellationToken cancellationToken)
    {
        bool hasBegun = false;
        await foreach (GeneratedToken token in generation.ReadAllAsync(cancellationToken))
        {
            if (!hasBegun) await BeginAsync();
            await writer.WriteAsync(new AnswerToken(firstChoice + token.Choice, token.Id, token.Text, model.View(token.LogProb)), cancellationToken);
        }

        if (!hasBegun) await BeginAsync();
        return await generation.Completion;

        ValueTask BeginAsync()
        {
            hasBegun = true;
            return writer.WriteAsync(new AnswerBegun(prompt, generation.Request.Prompt.Length, generation.CachedTokenCount), cancellationToken);
        }
    }

    // The first failure ends the reader; it stops the others.
    private static async Task CompleteAsync(Task<GenerationResult>[] running, ChannelWriter<AnswerEvent> writer)
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

    private static AnswerEnd End(IReadOnlyList<GenerationRequest> requests, IReadOnlyList<GenerationResult> results, ContextCut? cut)
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
            LimitedBy = results.Select((result, i) => LimitOf(requests[i], result)).Min(StringComparer.Ordinal),
            Cut = cut,
        };
        return new AnswerEnd([.. choices.Select(choice => choice.FinishReason == FinishReason.Length ? "length" : "stop")], usage, null)
        {
            PromptLogProbs = [.. results.Select(result => result.PromptLogProbs)],
            StopStrings = [.. choices.Select(choice => choice.StopString)],
            Lease = results[0].Lease,
        };
    }

    // Of several answers, the context is told before the limit that was asked for.
    private static string? LimitOf(GenerationRequest request, GenerationResult result) => result.Choices
        .Where(choice => choice.FinishReason == FinishReason.Length)
        .Select(choice => choice.TokenIds.Count < request.MaxNewTokens ? "context" : "max_tokens")
        .Min(StringComparer.Ordinal);
}
