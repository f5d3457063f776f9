using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
/// <remarks>
/// A named conversation's history is diffed against its log, so that generated tokens are never encoded again; without a name
/// the history is encoded whole, and the radix tree alone finds the prefix.
/// </remarks>
internal sealed class ChatCompletionRoute(ModelHost host, TurnGate gate, AnswerAccount account, SiloOptions options, TimeProvider time)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/chat/completions", RunAsync);

    private async Task RunAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        ChatCompletionRequest request = await SiloJson.ReadAsync<ChatCompletionRequest>(context.Request, context.RequestAborted);
        model.CheckName(request.Model);
        ChatCall call = ChatRules.Check(request, model.Config, model.SamplingDefaults);

        using TurnScope turn = gate.Enter(context);
        string tenant = Caller.TenantOf(context);
        IAsyncEnumerable<AnswerEvent> answer = call.Conversation is { } id
            ? ConversationAnswer.RunAsync(model.Conversations, new ConversationKey(tenant, id), Turn(call), turn.Token)
            : EngineAnswer.RunAsync(model, [Generation(call, model, tenant)], turn.Token);
        AnswerHead head = AnswerHead.New("chatcmpl", model, time);
        if (call.Common.Stream) await StreamAsync(context, head, call, model, answer);
        else await CollectAsync(context, head, call, model, answer);
    }

    private static TurnRequest Turn(ChatCall call) => new()
    {
        Mode = TurnMode.History,
        Messages = call.Messages,
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
            TopLogProbs = call.Common.Sampling.TopLogProbs,
        },
    };

    private GenerationRequest Generation(ChatCall call, LoadedModel model, string tenant) => new()
    {
        Prompt = model.Chat.Encode(call.Messages, addGenerationPrompt: true).Ids,
        Sampling = call.Common.Sampling,
        MaxNewTokens = call.Common.MaxTokens ?? options.AnswerTokens,
        StopStrings = call.Common.Stop,
        Choices = call.Common.Choices,
        TenantSalt = model.Salts.For(tenant),
    };

    private async Task CollectAsync(HttpContext context, AnswerHead head, ChatCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        StringBuilder[] texts = [.. Enumerable.Range(0, call.Common.Choices).Select(_ => new StringBuilder())];
        List<ChatTokenLogprob>[] logprobs = [.. texts.Select(_ => new List<ChatTokenLogprob>())];
        AnswerEnd? end = null;
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                texts[token.Choice].Append(token.Text);
                if (token.LogProb is { } logProb && !model.EndsText(token.TokenId)) logprobs[token.Choice].Add(Logprobs.Chat(logProb, model.Tokenizer));
            }

            end = answered as AnswerEnd ?? end;
        }

        bool withLogprobs = call.Common.Sampling.TopLogProbs is not null;
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new ChatCompletion
        {
            Id = head.Id,
            Created = head.Created,
            Model = head.Model,
            SystemFingerprint = head.SystemFingerprint,
            Choices = [.. texts.Select((text, i) => new ChatChoice(
                i, new ChatAnswer { Content = text.ToString() }, withLogprobs ? new ChatLogprobs(logprobs[i]) : null, end!.FinishReasons[i]))],
            Usage = Usage.From(end!.Usage),
            Kvtiers = account.Close(end.Usage, end.Conversation),
        }, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, AnswerHead head, ChatCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        bool[] begun = new bool[call.Common.Choices];
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                await BeginAsync(token.Choice);
                ChatLogprobs? logprobs = token.LogProb is { } logProb && !model.EndsText(token.TokenId) ? new ChatLogprobs([Logprobs.Chat(logProb, model.Tokenizer)]) : null;
                if (token.Text.Length > 0 || logprobs is not null)
                    await sse.WriteAsync(Chunk(head, [new ChatChunkChoice(token.Choice, new ChatDelta(Content: token.Text), logprobs)]));
            }
            else if (answered is AnswerEnd end)
            {
                KvTiersInfo info = account.Close(end.Usage, end.Conversation);
                for (int i = 0; i < begun.Length; i++)
                {
                    await BeginAsync(i);
                    ChatChunk last = Chunk(head, [new ChatChunkChoice(i, new ChatDelta(), null, end.FinishReasons[i])]);
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
