using System.Runtime.InteropServices;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Turns;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /v1/embeddings</c>: vectors of the loaded model's last hidden states.</summary>
internal sealed class EmbeddingsRoute(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account)
{
    // Enough to fill steps, and few enough to leave others their place in the queue.
    private const int AtOnce = 16;

    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/embeddings", RunAsync)
        .WithSummary("Texts as vectors of the model's last hidden states.").WithMetadata(new RequestFields(() => EmbeddingFields.Table));

    private async Task RunAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        using TurnScope turn = gate.Enter(context);
        EmbeddingsRequest request = await reader.ReadAsync<EmbeddingsRequest>(context.Request, EmbeddingFields.Table, context.RequestAborted);
        model.CheckName(request.Model);
        EmbeddingsCall call = EmbeddingsRules.Check(request, model);

        turn.Widen(Math.Min(call.Inputs.Count, AtOnce), "input");
        List<GenerationResult> results = await ComputeAsync(model, call, Caller.TenantOf(context), turn.Token);
        TurnUsage usage = UsageOf(results);
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new EmbeddingList
        {
            Data = [.. results.Select((result, i) => new Embedding(i, Encode(result.Embedding!.Value.Span, call.IsBase64)))],
            Model = model.Name,
            Usage = new EmbeddingUsage(usage.PromptTokens, usage.PromptTokens),
            Kvtiers = account.Close(usage, null),
        }, context.RequestAborted);
    }

    // When one fails, the others stop.
    private static async Task<List<GenerationResult>> ComputeAsync(LoadedModel model, EmbeddingsCall call, string tenant, CancellationToken cancellationToken)
    {
        byte[] salt = model.Salts.For(tenant);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var results = new List<GenerationResult>();
        try
        {
            foreach (int[][] inputs in call.Inputs.Chunk(AtOnce))
            {
                Generation[] running = [.. inputs.Select(ids => model.Engine.Submit(
                    new GenerationRequest { Prompt = ids, MaxNewTokens = 0, Embedding = call.Pooling, Tenant = tenant, TenantSalt = salt }, stop.Token))];
                results.AddRange(await Task.WhenAll(running.Select(generation => generation.Completion)));
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        return results;
    }

    private static object Encode(ReadOnlySpan<float> state, bool isBase64)
    {
        float[] vector = new float[state.Length];
        double squares = 0;
        foreach (float value in state) squares += (double)value * value;
        double length = Math.Sqrt(squares);
        for (int i = 0; i < vector.Length && length > 0; i++) vector[i] = (float)(state[i] / length);
        return isBase64 ? Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector)) : vector;
    }

    private static TurnUsage UsageOf(IReadOnlyList<GenerationResult> results) => new()
    {
        PromptTokens = results.Sum(result => result.PromptTokenCount),
        CompletionTokens = 0,
        Cached = CachedTokenCounts.Of(results),
        ComputedTokens = results.Sum(result => result.ComputedTokenCount),
        InvalidatedTokens = 0,
        TtftMs = results.Min(result => result.TimeToFirstToken.TotalMilliseconds),
        TotalMs = results.Max(result => result.Duration.TotalMilliseconds),
    };
}
