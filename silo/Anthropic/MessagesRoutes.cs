using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Prefix;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Anthropic;

/// <summary><c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
/// <remarks>
/// The history is encoded whole, and the radix tree finds what is cached of it. What stands before a breakpoint is kept besides: from when
/// the prompt is computed, so that a stream that is broken off leaves it kept too.
/// </remarks>
internal sealed class MessagesRoutes(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account, Breakpoints breakpoints)
{
    private const string PinnedHeader = "kvtiers-pinned-tokens";

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/messages", AnswerAsync).WithSummary("An answer to a chat, as Anthropic has it.").WithMetadata(new RequestFields(() => AnthropicFields.Table));
        routes.MapPost("/v1/messages/count_tokens", CountAsync).WithSummary("How many tokens such a chat is.").WithMetadata(new RequestFields(() => AnthropicFields.CountTable));
    }

    private async Task CountAsync(HttpContext context)
    {
        PromptParameters request = await reader.ReadAsync<PromptParameters>(context.Request, AnthropicFields.CountTable, context.RequestAborted);
        host.Model.CheckName(request.Model);
        PromptTokens tokens = PromptTokens.Of(MessagesRules.Prompt(request), host.Model.Chat);
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new TokenCount(tokens.Ids.Length), context.RequestAborted);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        using TurnScope turn = gate.Enter(context);
        MessagesRequest request = await reader.ReadAsync<MessagesRequest>(context.Request, AnthropicFields.Table, context.RequestAborted);
        model.CheckName(request.Model);
        MessagesCall call = MessagesRules.Check(request, model.SamplingDefaults);
        PromptTokens tokens = PromptTokens.Of(call.Prompt, model.Chat);

        string tenant = Caller.TenantOf(context);
        byte[] salt = model.Salts.For(tenant);
        BlockHash root = model.Engine.RootFor(salt);
        breakpoints.Pins.Renew(root, tokens.Ids);
        var generation = new GenerationRequest
        {
            Prompt = tokens.Ids,
            Sampling = call.Sampling,
            MaxNewTokens = call.MaxTokens,
            StopStrings = call.Stop,
            Tenant = tenant,
            TenantSalt = salt,
            Constraint = ToolAnswer.ConstraintFor(call.Prompt.Tools, model) ?? AnswerForm.ConstraintFor(call.Format, call.FormatParam, model),
            KeepLease = call.Prompt.Breakpoints.Count > 0,
        };
        ToolUse? tools = call.Prompt.Tools is { } given ? ToolAnswer.WithIds(given) : null;
        await WriteAsync(context, model, call, tokens, root, ToolAnswer.Read(EngineAnswer.RunAsync(model, [generation], turn.Token), model.Chat, tools, 1));
    }

    private async Task WriteAsync(HttpContext context, LoadedModel model, MessagesCall call, PromptTokens tokens, BlockHash root, IAsyncEnumerable<AnswerEvent> answer)
    {
        var stream = call.Stream ? new MessageStream(new SseWriter(context.Response, context.RequestAborted)) : null;
        var message = new Message { Id = $"msg_{Guid.NewGuid():N}", Model = model.Name, Content = [], Usage = MessageUsage.Of(new PromptUse(0, new CacheCreation(0, 0), 0), 0) };
        var content = new MessageContent();
        PromptUse? use = null;
        await foreach (AnswerEvent answered in answer)
        {
            switch (answered)
            {
                case AnswerBegun begun:
                    int kept = breakpoints.Keep(root, tokens.Ids, call.Prompt, tokens);
                    if (call.Prompt.Breakpoints.Count > 0)
                        context.Response.Headers[PinnedHeader] = (kept == 0 ? 0 : tokens.BreakpointEnds[kept - 1]).ToString(CultureInfo.InvariantCulture);
                    use = PromptUse.Of(call.Prompt, tokens, kept, begun.CachedTokens);
                    message = message with { Usage = MessageUsage.Of(use, 0) };
                    if (stream is not null) await stream.StartAsync(message);
                    break;
                case AnswerToken { Text.Length: > 0 } token:
                    if (stream is not null) await stream.AddAsync(token.Text);
                    else content.Add(token.Text);
                    break;
                case AnswerText late:
                    if (stream is not null) await stream.AddAsync(late.Text);
                    else content.Add(late.Text);
                    break;
                case AnswerToolCall called:
                    if (stream is not null) await stream.BeginAsync(called.Id, called.Name);
                    else content.Begin(called.Id, called.Name);
                    break;
                case AnswerToolArguments piece:
                    if (stream is not null) await stream.AddArgumentsAsync(piece.Text);
                    else content.AddArguments(piece.Text);
                    break;
                case AnswerEnd end:
                    if (end.Lease is { } lease) breakpoints.Keep(root, lease.Tokens, call.Prompt, tokens);
                    KvTiersInfo info = account.Close(end.Usage, null);
                    message = message with
                    {
                        Content = content.Take(),
                        StopReason = StopReasons.Of(end, call.MaxTokens),
                        StopSequence = StopReasons.StopSequence(end),
                        Usage = MessageUsage.Of(use!, end.Usage.CompletionTokens),
                        Kvtiers = info,
                    };
                    if (stream is not null) await stream.StopAsync(message, DeltaUsage.Of(use!, end.Usage.CompletionTokens));
                    else await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, message, context.RequestAborted);
                    break;
            }
        }
    }
}
