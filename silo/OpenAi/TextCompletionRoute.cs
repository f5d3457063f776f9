using System.Text;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class TextCompletionRoute(ModelHost host, TurnGate gate, AnswerAccount account, TimeProvider time)
{
    /// <summary>Adds the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/completions", RunAsync);

    private async Task RunAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        CompletionRequest request = await SiloJson.ReadAsync<CompletionRequest>(context.Request, context.RequestAborted);
        model.CheckName(request.Model);
        TextCall call = TextRules.Check(request, model.Config, model.SamplingDefaults, model.Tokenizer);

        using TurnScope turn = gate.Enter(context);
        IAsyncEnumerable<AnswerEvent> answer = EngineAnswer.RunAsync(model, Generations(call, model, Caller.TenantOf(context)), turn.Token);
        AnswerHead head = AnswerHead.New("cmpl", model, time);
        if (call.Common.Stream) await StreamAsync(context, head, call, model, answer);
        else await CollectAsync(context, head, call, model, answer);
    }

    private static GenerationRequest[] Generations(TextCall call, LoadedModel model, string tenant) =>
    [
        .. call.Prompts.Select(prompt => new GenerationRequest
        {
            Prompt = prompt.Ids,
            Sampling = call.Common.Sampling,
            MaxNewTokens = call.MaxTokens,
            StopStrings = call.Common.Stop,
            Choices = call.Common.Choices,
            TenantSalt = model.Salts.For(tenant),
            PromptLogProbs = call.Echo ? call.Common.Sampling.TopLogProbs : null,
        }),
    ];

    private async Task CollectAsync(HttpContext context, AnswerHead head, TextCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        int count = call.Prompts.Count * call.Common.Choices;
        StringBuilder[] texts = [.. Enumerable.Range(0, count).Select(_ => new StringBuilder())];
        List<AnswerToken>[] tokens = [.. texts.Select(_ => new List<AnswerToken>())];
        AnswerEnd? end = null;
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                texts[token.Choice].Append(token.Text);
                if (token.LogProb is not null && !model.EndsText(token.TokenId)) tokens[token.Choice].Add(token);
            }

            end = answered as AnswerEnd ?? end;
        }

        var choices = new TextChoice[count];
        for (int i = 0; i < count; i++)
        {
            TextPrompt prompt = call.Prompts[i / call.Common.Choices];
            TextLogprobs? logprobs = null;
            if (call.Common.Sampling.TopLogProbs is not null)
            {
                var builder = new TextLogprobsBuilder(model.Tokenizer);
                if (call.Echo) AddPrompt(builder, prompt, end!, i / call.Common.Choices, model);
                foreach (AnswerToken token in tokens[i]) builder.Add(token.TokenId, token.LogProb, token.Text.Length);
                logprobs = builder.Take();
            }

            choices[i] = new TextChoice((call.Echo ? prompt.Text : "") + texts[i], i, logprobs, end!.FinishReasons[i]);
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
            builder.Add(id, end.PromptLogProbs[promptIndex]?[i], model.Tokenizer.Decode([id], skipSpecial: false).Length);
        }
    }

    private async Task StreamAsync(HttpContext context, AnswerHead head, TextCall call, LoadedModel model, IAsyncEnumerable<AnswerEvent> answer)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        int count = call.Prompts.Count * call.Common.Choices;
        bool[] begun = new bool[count];
        TextLogprobsBuilder?[] logprobs = [.. begun.Select(_ => call.Common.Sampling.TopLogProbs is null ? null : new TextLogprobsBuilder(model.Tokenizer))];
        await foreach (AnswerEvent answered in answer)
        {
            if (answered is AnswerToken token)
            {
                await BeginAsync(token.Choice);
                TextLogprobs? own = null;
                if (logprobs[token.Choice] is { } builder && !model.EndsText(token.TokenId))
                {
                    builder.Add(token.TokenId, token.LogProb, token.Text.Length);
                    own = builder.Take();
                }

                if (token.Text.Length > 0 || own is not null)
                    await sse.WriteAsync(Piece(head, [new TextChoice(token.Text, token.Choice, own, null)]));
            }
            else if (answered is AnswerEnd end)
            {
                KvTiersInfo info = account.Close(end.Usage, null);
                for (int i = 0; i < count; i++)
                {
                    await BeginAsync(i);
                    TextCompletion last = Piece(head, [new TextChoice("", i, null, end.FinishReasons[i])]);
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
