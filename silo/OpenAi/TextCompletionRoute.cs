using System.Text;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class TextCompletionRoute(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account, TimeProvider time)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/completions", RunAsync)
        .WithSummary("Continuations of texts.").WithMetadata(new RequestFields(() => TextFields.Table));

    private async Task RunAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        using TurnScope turn = gate.Enter(context);
        CompletionRequest request = await reader.ReadAsync<CompletionRequest>(context.Request, TextFields.Table, context.RequestAborted);
        model.CheckName(request.Model);
        TextCall call = TextRules.Check(request, model, turn);

        IAsyncEnumerable<AnswerEvent> answer = EngineAnswer.RunAsync(model, Generations(call, model, Caller.TenantOf(context)), turn.Token);
        AnswerHead head = AnswerHead.New("cmpl", model, time);
        if (call.Common.Stream) await StreamAsync(context, head, call, model, answer);
        else await CollectAsync(context, head, call, model, answer);
    }

    private static GenerationRequest[] Generations(TextCall call, LoadedModel model, string tenant) =>
    [
        .. call.Prompts.Select(prompt => call.Common.Generation(prompt.Ids, call.MaxTokens, model, tenant) with
        {
            PromptLogProbs = call.Echo && call.Common.Sampling.TopLogProbs is { } top ? Math.Max(top, call.Common.PromptLogProbs ?? 0) : call.Common.PromptLogProbs,
        }),
    ];

    private async Task CollectAsync(HttpContext context, AnswerHead head, TextCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        int count = call.Prompts.Count * call.Common.Choices;
        StringBuilder[] texts = [.. Enumerable.Range(0, count).Select(_ => new StringBuilder())];
        bool withLogprobs = call.Common.Sampling.TopLogProbs is not null;
        List<CertainToken>[] tokens = [.. texts.Select(_ => new List<CertainToken>())];
        CertainTokens[] certain = [.. texts.Select(_ => new CertainTokens(model))];
        AnswerEnd? end = null;
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                texts[token.Choice].Append(token.Text);
                if (withLogprobs) tokens[token.Choice].AddRange(certain[token.Choice].Add(token));
            }

            end = answered as AnswerEnd ?? end;
        }

        var choices = new TextChoice[count];
        for (int i = 0; i < count; i++)
        {
            TextPrompt prompt = call.Prompts[i / call.Common.Choices];
            TextLogprobs? logprobs = null;
            if (withLogprobs)
            {
                tokens[i].AddRange(certain[i].End(end!.FinishReasons[i]));
                var builder = new TextLogprobsBuilder(model.Tokenizer);
                if (call.Echo) AddPrompt(builder, prompt, end, i / call.Common.Choices, model);
                foreach (CertainToken token in tokens[i]) builder.Add(token.Token.TokenId, token.Token.LogProb, token.TextLength);
                logprobs = builder.Take();
            }

            choices[i] = new TextChoice((call.Echo ? prompt.Text : "") + texts[i], i, logprobs, end!.FinishReasons[i])
            {
                PromptLogprobs = PromptLogprob.Of(end.PromptLogProbs, i / call.Common.Choices, call.Common.PromptLogProbs, model.Tokenizer),
            };
        }

        await SiloJson.WriteAsync(
            context.Response,
            StatusCodes.Status200OK,
            Piece(head, choices) with { Usage = Usage.From(end!.Usage), Kvtiers = account.Close(end.Usage, null) },
            context.RequestAborted);
    }

    private static void AddPrompt(TextLogprobsBuilder builder, TextPrompt prompt, AnswerEnd end, int promptIndex, LoadedModel model)
    {
        for (int i = 0; i < prompt.Ids.Length; i++)
        {
            int id = prompt.Ids[i];
            builder.Add(id, model.View(end.PromptLogProbs[promptIndex]?[i]), model.Tokenizer.Decode([id], skipSpecial: false).Length);
        }
    }

    private async Task StreamAsync(HttpContext context, AnswerHead head, TextCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        int count = call.Prompts.Count * call.Common.Choices;
        bool[] begun = new bool[count];
        CertainTokens[] certain = [.. begun.Select(_ => new CertainTokens(model))];
        TextLogprobsBuilder?[] logprobs = [.. begun.Select(_ => call.Common.Sampling.TopLogProbs is null ? null : new TextLogprobsBuilder(model.Tokenizer))];
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                await BeginAsync(token.Choice);
                TextLogprobs? own = logprobs[token.Choice]?.Take(certain[token.Choice].Add(token));
                if (token.Text.Length > 0) await sse.WriteAsync(Piece(head, [new TextChoice(token.Text, token.Choice, own, null)]));
            }
            else if (answered is AnswerEnd end)
            {
                KvTiersInfo info = account.Close(end.Usage, null);
                for (int i = 0; i < count; i++)
                {
                    await BeginAsync(i);
                    TextCompletion last = Piece(head, [new TextChoice("", i, logprobs[i]?.Take(certain[i].End(end.FinishReasons[i])), end.FinishReasons[i])]);
                    bool carriesInfo = !call.Common.IncludeUsage && i == count - 1;
                    await sse.WriteAsync(carriesInfo ? last with { Kvtiers = info } : last);
                }

                if (call.Common.IncludeUsage) await sse.WriteAsync(Piece(head, []) with { Usage = Usage.From(end.Usage), Kvtiers = info });
            }
        }

        await sse.DoneAsync();

        async ValueTask BeginAsync(int choice)
        {
            if (begun[choice]) return;
            begun[choice] = true;
            if (call.Echo) await sse.WriteAsync(Piece(head, [new TextChoice(call.Prompts[choice / call.Common.Choices].Text, choice, null, null)]));
        }
    }

    private static TextCompletion Piece(AnswerHead head, IReadOnlyList<TextChoice> choices) => new()
    {
        Id = head.Id,
        Created = head.Created,
        Model = head.Model,
        SystemFingerprint = head.SystemFingerprint,
        Choices = choices,
    };
}
