using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.OpenAi;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Responses;

/// <summary><c>POST /v1/responses</c>.</summary>
/// <remarks>
/// A stored response is a conversation; one that follows it is a turn on a fork, so that generated tokens are never encoded again and only what is new is
/// computed. One that is not stored goes straight to the engine.
/// </remarks>
internal sealed class ResponseRoutes(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account, ResponseStore store, SiloOptions options, TimeProvider time)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/responses", CreateAsync)
        .WithSummary("A response, stored unless asked not to be, perhaps to what an earlier one left.").WithMetadata(new RequestFields(() => ResponseFields.Table));

    private async Task CreateAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        using TurnScope turn = gate.Enter(context);
        ResponsesRequest request = await reader.ReadAsync<ResponsesRequest>(context.Request, ResponseFields.Table, context.RequestAborted);
        model.CheckName(request.Model);
        string tenant = Caller.TenantOf(context);
        JsonElement? input = await new ItemReferences(store, tenant).ResolveAsync(request.Input, context.RequestAborted);
        ResponsesCall call = ResponsesRules.Check(request with { Input = input }, model.SamplingDefaults);
        if (call.Tools is { } tools) call = call with { Tools = ToolAnswer.WithIds(tools) };
        Constraint? constraint = ToolAnswer.ConstraintFor(call.Tools, model) ?? AnswerForm.ConstraintFor(call.Format, "text.format.schema", model);

        ResponseNote note = ResponseNote.Of(call, time.GetUtcNow().ToUnixTimeSeconds());
        ResponseId id = ResponseId.New();
        StoredResponse? previous = call.PreviousResponseId is { } follows ? await store.FindAsync(tenant, follows, "previous_response_id", turn.Token) : null;
        IReadOnlyList<ChatMessage> messages;
        long? expectedVersion = null;
        if (call.Conversation is { } conversation)
        {
            ConversationView? view = await store.FindConversationAsync(tenant, conversation, turn.Token);
            bool hasInstructions = ResponseNote.Read(view?.LastTurn?.Note)?.Instructions is not null;
            messages = call.After((view?.Messages ?? []).Skip(hasInstructions ? 1 : 0).Select(Items.Said));
            expectedVersion = view?.Version ?? 0;
            id = new ResponseId(conversation, messages.Count);
        }
        else
        {
            messages = call.After(previous?.History() ?? []);
        }

        if (messages.Count == 0) throw ApiException.BadRequest("'input' must hold at least one message.", "input");
        IAsyncEnumerable<AnswerEvent> answer = call.Store
            ? store.AnswerAsync(new ConversationKey(tenant, id.Conversation), previous, Turn(call, messages, note, expectedVersion), turn.Token)
            : Unstored(call, messages, constraint, model, tenant, turn.Token);
        await WriteAsync(context, model, call, id, Response.Begin(id, note, model.Name, call.Store, call.Conversation), messages.Count, ToolAnswer.Read(answer, model.Chat, call.Tools, 1));
    }

    private static TurnRequest Turn(ResponsesCall call, IReadOnlyList<ChatMessage> messages, ResponseNote note, long? expectedVersion) => new()
    {
        Mode = TurnMode.History,
        Messages = messages,
        Options = new GenerationOptions
        {
            MaxTokens = call.MaxTokens,
            Temperature = call.Sampling.Temperature,
            TopP = call.Sampling.TopP,
            TopLogProbs = call.Sampling.TopLogProbs,
            Tools = call.Tools,
            Format = call.Format,
        },
        ExpectedVersion = expectedVersion,
        Truncation = call.Truncation,
        Note = note.Write(),
    };

    private IAsyncEnumerable<AnswerEvent> Unstored(
        ResponsesCall call, IReadOnlyList<ChatMessage> messages, Constraint? constraint, LoadedModel model, string tenant, CancellationToken cancellationToken)
    {
        FittedChat fitted = FittedChat.Of(messages, call.Truncation, model.Chat, call.Tools?.Definitions, call.MaxTokens ?? options.AnswerTokens, model);
        return EngineAnswer.RunAsync(model, [Generation(call, fitted.Messages, constraint, model, tenant)], cancellationToken, fitted.Cut);
    }

    private GenerationRequest Generation(ResponsesCall call, IReadOnlyList<ChatMessage> messages, Constraint? constraint, LoadedModel model, string tenant) => new()
    {
        Prompt = model.Chat.Encode(messages, addGenerationPrompt: true, call.Tools?.Definitions).Ids,
        Sampling = call.Sampling,
        MaxNewTokens = call.MaxTokens ?? options.AnswerTokens,
        Tenant = tenant,
        TenantSalt = model.Salts.For(tenant),
        Constraint = constraint,
    };

    private async Task WriteAsync(
        HttpContext context, LoadedModel model, ResponsesCall call, ResponseId id, Response begun, int index, IAsyncEnumerable<AnswerEvent> answer)
    {
        ResponseStream? stream = call.Stream ? new ResponseStream(new SseWriter(context.Response, context.RequestAborted), begun) : null;
        if (stream is not null) context.Features.Set(stream);
        var output = new ResponseOutput(id, index, stream);
        bool hasBegun = false;
        await foreach (AnswerEvent answered in answer)
        {
            if (stream is not null && !hasBegun) await stream.StartAsync();
            hasBegun = true;
            switch (answered)
            {
                case AnswerToken token:
                    ChatTokenLogprob[] logprobs = token.LogProb is { } logProb && !model.EndsText(token.TokenId) ? [Logprobs.Chat(logProb, model.Tokenizer)] : [];
                    if (token.Text.Length > 0 || logprobs.Length > 0) await output.AddAsync(token.Text, logprobs);
                    break;
                case AnswerText late:
                    await output.AddAsync(late.Text, []);
                    break;
                case AnswerToolCall called:
                    await output.BeginAsync(called.Id, called.Name);
                    break;
                case AnswerToolArguments piece:
                    await output.AddArgumentsAsync(piece.Text);
                    break;
                case AnswerEnd end:
                    IReadOnlyList<object> items = await output.EndAsync(Response.StatusOf(end.FinishReasons[0]));
                    Response response = begun.End(items, end.FinishReasons[0], ResponseUsage.Of(end.Usage)) with { Kvtiers = account.Close(end.Usage, end.Conversation) };
                    if (stream is not null) await stream.StopAsync(response);
                    else await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, response, context.RequestAborted);
                    break;
            }
        }
    }
}
