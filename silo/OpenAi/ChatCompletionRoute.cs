using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
/// <remarks>
/// A named conversation's history is diffed against its log, so that generated tokens are never encoded again; without a name
/// the history is encoded whole, and the radix tree alone finds the prefix.
/// </remarks>
internal sealed class ChatCompletionRoute(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account, SiloOptions options, TimeProvider time)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/chat/completions", RunAsync)
        .WithSummary("An answer to a chat; with `conversation`, a turn of a stored one.").WithMetadata(new RequestFields(() => ChatFields.Table));

    private async Task RunAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        using TurnScope turn = gate.Enter(context);
        ChatCompletionRequest request = await reader.ReadAsync<ChatCompletionRequest>(context.Request, ChatFields.Table, context.RequestAborted);
        model.CheckName(request.Model);
        ChatCall call = ChatRules.Check(request, model.Config, model.SamplingDefaults);
        turn.Widen(call.Common.SequenceCount, "n");
        Constraint? calls = ToolAnswer.ConstraintFor(call.Tools, model);
        AnswerForm.ConstraintFor(call.Common.Form?.Format, call.Common.Form?.Param ?? "", model);

        string tenant = Caller.TenantOf(context);
        IAsyncEnumerable<AnswerEvent> answer = call.Conversation is { } id
            ? ConversationAnswer.RunAsync(model.Conversations, new ConversationKey(tenant, id), Turn(call), turn.Token)
            : Unnamed(call, calls, model, tenant, turn.Token);
        answer = ToolAnswer.Read(answer, model.Chat, call.Tools, call.Common.Choices);
        AnswerHead head = AnswerHead.New("chatcmpl", model, time);
        if (call.Common.Stream) await StreamAsync(context, head, call, model, answer);
        else await CollectAsync(context, head, call, model, answer);
    }

    private static TurnRequest Turn(ChatCall call) => new()
    {
        Mode = TurnMode.History,
        Messages = call.Messages,
        CacheSalt = call.Common.CacheSalt,
        Truncation = call.Truncation,
        Options = new GenerationOptions
        {
            MaxTokens = call.Common.MaxTokens,
            Temperature = call.Common.Sampling.Temperature,
            TopP = call.Common.Sampling.TopP,
            TopK = call.Common.Sampling.TopK,
            MinP = call.Common.Sampling.MinP,
            RepetitionPenalty = call.Common.Sampling.RepetitionPenalty,
            PresencePenalty = call.Common.Sampling.PresencePenalty,
            FrequencyPenalty = call.Common.Sampling.FrequencyPenalty,
            LogitBias = call.Common.Sampling.LogitBias,
            Seed = call.Common.Sampling.Seed,
            Stop = call.Common.Stop,
            StopTokenIds = call.Common.StopTokenIds,
            IncludeStop = call.Common.IncludeStop,
            IgnoreEndOfText = call.Common.IgnoreEndOfText,
            MinTokens = call.Common.MinTokens,
            BadWords = call.Common.BadWords,
            UseCache = call.Common.UseCache,
            TopLogProbs = call.Common.Sampling.TopLogProbs,
            Tools = call.Tools,
            Format = call.Common.Form?.Format,
        },
    };

    private IAsyncEnumerable<AnswerEvent> Unnamed(ChatCall call, Constraint? calls, LoadedModel model, string tenant, CancellationToken cancellationToken)
    {
        ChatPrompt chat = ChatRules.Template(model.Chat, call.TemplateVariables);
        FittedChat fitted = FittedChat.Of(call.Messages, call.Truncation, chat, call.Tools?.Definitions, call.Common.MaxTokens ?? options.AnswerTokens, model);
        GenerationRequest request = Generation(call with { Messages = fitted.Messages }, calls, chat, model, tenant);
        return EngineAnswer.RunAsync(model, [request], cancellationToken, fitted.Cut);
    }

    private GenerationRequest Generation(ChatCall call, Constraint? calls, ChatPrompt chat, LoadedModel model, string tenant)
    {
        int[] prompt = Prompt(call, chat);
        GenerationRequest request = call.Common.Generation(call.Common.Shorten(prompt, model), call.Common.MaxTokens ?? options.AnswerTokens, model, tenant);
        if (calls is null) return request;
        if (request.Beams is not null) throw ApiException.BadRequest("'tool_choice' asks for a call, and 'use_beam_search' is true; calls that must be made are not searched with beams.", "tool_choice");
        return request with { Constraint = calls };
    }

    private static int[] Prompt(ChatCall call, ChatPrompt chat) => call.Ending == PromptEnding.OpenMessage
        ? chat.EncodeOpen(call.Messages, call.Tools?.Definitions)
        : chat.Encode(call.Messages, addGenerationPrompt: call.Ending == PromptEnding.GenerationPrompt, call.Tools?.Definitions).Ids;

    private async Task CollectAsync(HttpContext context, AnswerHead head, ChatCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        GatheredAnswer[] answers = [.. Enumerable.Range(0, call.Common.Choices).Select(_ => new GatheredAnswer())];
        bool withLogprobs = call.Common.Sampling.TopLogProbs is not null;
        List<ChatTokenLogprob>[] logprobs = [.. answers.Select(_ => new List<ChatTokenLogprob>())];
        CertainTokens[] certain = [.. answers.Select(_ => new CertainTokens(model))];
        AnswerEnd? end = null;
        await foreach (AnswerEvent answered in answer)
        {
            GatheredAnswer.Add(answers, answered);
            if (withLogprobs && answered is AnswerToken token) logprobs[token.Choice].AddRange(Logprobs.Chat(certain[token.Choice].Add(token), model.Tokenizer));
            end = answered as AnswerEnd ?? end;
        }

        for (int i = 0; withLogprobs && i < answers.Length; i++) logprobs[i].AddRange(Logprobs.Chat(certain[i].End(end!.FinishReasons[i]), model.Tokenizer));
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new ChatCompletion
        {
            Id = head.Id,
            Created = head.Created,
            Model = head.Model,
            SystemFingerprint = head.SystemFingerprint,
            Choices = [.. answers.Select((one, i) => new ChatChoice(
                i, ChatAnswer.Of(one), withLogprobs ? new ChatLogprobs(logprobs[i]) : null, end!.FinishReasons[i]))],
            PromptLogprobs = PromptLogprob.Of(end!.PromptLogProbs, 0, call.Common.PromptLogProbs, model.Tokenizer),
            Usage = Usage.From(end.Usage),
            Kvtiers = account.Close(end.Usage, end.Conversation),
        }, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, AnswerHead head, ChatCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        bool[] begun = new bool[call.Common.Choices];
        CertainTokens?[] certain = [.. begun.Select(_ => call.Common.Sampling.TopLogProbs is null ? null : new CertainTokens(model))];
        await foreach (AnswerEvent answered in answer)
        {
            ChatLogprobs? logprobs = null;
            if (answered is AnswerToken token)
            {
                await BeginAsync(token.Choice);
                logprobs = ChatLogprobs.OrNull(certain[token.Choice]?.Add(token), model.Tokenizer);
            }

            if (ChatChunkChoice.Of(answered, logprobs) is { } piece)
            {
                await BeginAsync(piece.Index);
                await sse.WriteAsync(Chunk(head, [piece]));
            }
            else if (answered is AnswerEnd end)
            {
                KvTiersInfo info = account.Close(end.Usage, end.Conversation);
                for (int i = 0; i < begun.Length; i++)
                {
                    await BeginAsync(i);
                    ChatChunk last = Chunk(head, [new ChatChunkChoice(i, new ChatDelta(), ChatLogprobs.OrNull(certain[i]?.End(end.FinishReasons[i]), model.Tokenizer), end.FinishReasons[i])]);
                    bool carriesInfo = !call.Common.IncludeUsage && i == begun.Length - 1;
                    await sse.WriteAsync(carriesInfo ? last with { Kvtiers = info } : last);
                }

                if (call.Common.IncludeUsage) await sse.WriteAsync(Chunk(head, []) with { Usage = Usage.From(end.Usage), Kvtiers = info });
            }
        }

        await sse.DoneAsync();

        async ValueTask BeginAsync(int choice)
        {
            if (begun[choice]) return;
            begun[choice] = true;
            await sse.WriteAsync(Chunk(head, [new ChatChunkChoice(choice, new ChatDelta("assistant", ""))]));
        }
    }

    private static ChatChunk Chunk(AnswerHead head, IReadOnlyList<ChatChunkChoice> choices) => new()
    {
        Id = head.Id,
        Created = head.Created,
        Model = head.Model,
        SystemFingerprint = head.SystemFingerprint,
        Choices = choices,
    };
}
