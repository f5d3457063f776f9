using KvTiers.Conversations;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Conversations;

/// <summary>The conversation routes: <see cref="IConversations"/> over HTTP.</summary>
internal sealed class ConversationRoutes(ModelHost host, TurnGate gate, AnswerAccount account)
{
    private const string One = "/v1/conversations/{id}";

    private IConversations Conversations => host.Model.Conversations;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/conversations", CreateAsync);
        routes.MapGet("/v1/conversations", ListAsync);
        routes.MapGet(One, GetAsync);
        routes.MapDelete(One, DeleteAsync);
        routes.MapPost(One + "/turns", TurnAsync);
        routes.MapPost(One + "/regenerate", RegenerateAsync);
        routes.MapPatch(One + "/messages/{index:int}", EditAsync);
        routes.MapDelete(One + "/messages/{index:int}", TruncateAsync);
        routes.MapPost(One + "/fork", ForkAsync);
        routes.MapPost(One + "/undo", UndoAsync);
        routes.MapPost(One + "/warm", WarmAsync);
        routes.MapPost(One + "/pin", PinAsync);
        routes.MapPost(One + "/unpin", UnpinAsync);
        routes.MapGet(One + "/explain", ExplainAsync);
    }

    private static ConversationKey Key(HttpContext context) => new(Caller.TenantOf(context), (string)context.Request.RouteValues["id"]!);

    private static int Index(HttpContext context) => int.Parse((string)context.Request.RouteValues["index"]!, System.Globalization.CultureInfo.InvariantCulture);

    private static Task AnswerAsync<T>(HttpContext context, T value, int status = StatusCodes.Status200OK) =>
        SiloJson.WriteAsync(context.Response, status, value, context.RequestAborted);

    private async Task CreateAsync(HttpContext context)
    {
        CreateConversation request = await SiloJson.ReadOrDefaultAsync<CreateConversation>(context.Request, context.RequestAborted);
        ConversationView view = await Conversations.CreateAsync(Caller.TenantOf(context), request, context.RequestAborted);
        context.Response.Headers.Location = "/v1/conversations/" + Uri.EscapeDataString(view.Id);
        await AnswerAsync(context, view, StatusCodes.Status201Created);
    }

    private async Task ListAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.ListAsync(Caller.TenantOf(context), context.RequestAborted));

    private async Task GetAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.GetAsync(Key(context), context.RequestAborted));

    private async Task DeleteAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.DeleteAsync(Key(context), context.RequestAborted));

    private async Task TurnAsync(HttpContext context)
    {
        TurnBody body = await SiloJson.ReadAsync<TurnBody>(context.Request, context.RequestAborted);
        using TurnScope turn = gate.Enter(context);
        await RunAsync(context, Conversations.TurnAsync(Key(context), body.ToRequest(), turn.Token), body.Stream);
    }

    private async Task RegenerateAsync(HttpContext context)
    {
        RegenerateBody body = await SiloJson.ReadOrDefaultAsync<RegenerateBody>(context.Request, context.RequestAborted);
        using TurnScope turn = gate.Enter(context);
        await RunAsync(context, Conversations.RegenerateAsync(Key(context), body.Options, turn.Token), body.Stream);
    }

    private async Task EditAsync(HttpContext context)
    {
        EditBody body = await SiloJson.ReadAsync<EditBody>(context.Request, context.RequestAborted);
        var edit = new EditRequest { Index = Index(context), Content = body.Content, DropLater = body.DropLater, ExpectedVersion = body.ExpectedVersion };
        await AnswerAsync(context, await Conversations.EditAsync(Key(context), edit, context.RequestAborted));
    }

    private async Task TruncateAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.TruncateAsync(Key(context), Index(context), context.RequestAborted));

    private async Task ForkAsync(HttpContext context)
    {
        ForkRequest request = await SiloJson.ReadOrDefaultAsync<ForkRequest>(context.Request, context.RequestAborted);
        await AnswerAsync(context, await Conversations.ForkAsync(Key(context), request, context.RequestAborted), StatusCodes.Status201Created);
    }

    private async Task UndoAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.UndoAsync(Key(context), context.RequestAborted));

    private async Task WarmAsync(HttpContext context)
    {
        using TurnScope turn = gate.Enter(context);
        await AnswerAsync(context, await Conversations.WarmAsync(Key(context), turn.Token));
    }

    private async Task PinAsync(HttpContext context)
    {
        PinRequest request = await SiloJson.ReadOrDefaultAsync<PinRequest>(context.Request, context.RequestAborted);
        await AnswerAsync(context, await Conversations.PinAsync(Key(context), Ttl(request.TtlSeconds), context.RequestAborted));
    }

    private async Task UnpinAsync(HttpContext context)
    {
        await Conversations.UnpinAsync(Key(context), context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task ExplainAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.ExplainAsync(Key(context), context.RequestAborted));

    private static TimeSpan? Ttl(double? seconds)
    {
        const double Most = 10 * 365.25 * 24 * 3600;
        if (seconds is null) return null;
        return seconds is > 0 and <= Most
            ? TimeSpan.FromSeconds(seconds.Value)
            : throw ApiException.BadRequest($"'ttl_seconds' is {seconds}; it must be above 0 and at most {Most}.", "ttl_seconds");
    }

    private async Task RunAsync(HttpContext context, IAsyncEnumerable<TurnEvent> events, bool stream)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        EditReceipt? edit = null;
        await foreach (TurnEvent turn in events)
        {
            if (stream) await sse.WriteAsync(turn);
            if (turn is TurnStarted started) edit = started.Edit;
            if (turn is not TurnCompleted completed) continue;
            KvTiersInfo info = account.Close(completed.Usage, completed.Conversation);
            if (!stream)
            {
                await AnswerAsync(context, new TurnAnswer
                {
                    Version = completed.Version,
                    Message = completed.Message,
                    Text = completed.Message.Content,
                    FinishReason = completed.FinishReason,
                    Edit = edit,
                    Usage = completed.Usage,
                    Kvtiers = info,
                });
            }
        }

        if (stream) await sse.DoneAsync();
    }
}
