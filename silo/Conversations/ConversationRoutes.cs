using KvTiers.Conversations;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Conversations;

/// <summary>The conversation routes: <see cref="IConversations"/> over HTTP.</summary>
internal sealed class ConversationRoutes(ModelHost host, RequestReader reader, TurnGate gate, AnswerAccount account)
{
    private const string All = "/v1/conversations";
    private const string One = All + "/{id}";

    private IConversations Conversations => host.Model.Conversations;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(All, CreateAsync).WithSummary("Stores a new conversation.").WithMetadata(new RequestFields(FieldTable.Of<CreateConversation>));
        routes.MapGet(All, ListAsync).WithSummary("The tenant's conversations, last created first, a page at a time: `limit` (1 to 1,000; 20) and `after`, the last id of the page before.");
        routes.MapDelete(All, DeleteByQueryAsync).WithSummary("Deletes the conversation `id` of the query: also one whose id no path can hold.");
        routes.MapGet(One, GetAsync).WithSummary("A conversation with its messages.");
        routes.MapDelete(One, DeleteAsync).WithSummary("Deletes a conversation and the blocks that only it used, and tells how far that is.");
        routes.MapPost(One + "/turns", TurnAsync).WithSummary("Takes a turn: messages in, an answer out.").WithMetadata(new RequestFields(FieldTable.Of<TurnBody>));
        routes.MapPost(One + "/regenerate", RegenerateAsync).WithSummary("Answers the last message anew.").WithMetadata(new RequestFields(FieldTable.Of<RegenerateBody>));
        routes.MapPatch(One + "/messages/{index:int}", EditAsync).WithSummary("Replaces a message's text.").WithMetadata(new RequestFields(FieldTable.Of<EditBody>));
        routes.MapDelete(One + "/messages/{index:int}", TruncateAsync).WithSummary("Drops a message and all later ones.");
        routes.MapPost(One + "/fork", ForkAsync).WithSummary("Begins a new conversation with this one's first messages.").WithMetadata(new RequestFields(FieldTable.Of<ForkRequest>));
        routes.MapPost(One + "/undo", UndoAsync).WithSummary("Takes back the last change.");
        routes.MapPost(One + "/warm", WarmAsync).WithSummary("Computes what is missing of the blocks.");
        routes.MapPost(One + "/pin", PinAsync).WithSummary("Keeps the blocks from being evicted.").WithMetadata(new RequestFields(FieldTable.Of<PinRequest>));
        routes.MapPost(One + "/unpin", UnpinAsync).WithSummary("Lets the blocks be evicted again.");
        routes.MapGet(One + "/explain", ExplainAsync).WithSummary("Why the last turn computed what it computed.");
    }

    private static ConversationKey Key(HttpContext context) => new(Caller.TenantOf(context), (string)context.Request.RouteValues["id"]!);

    private static int Index(HttpContext context) => int.Parse((string)context.Request.RouteValues["index"]!, System.Globalization.CultureInfo.InvariantCulture);

    private static Task AnswerAsync<T>(HttpContext context, T value, int status = StatusCodes.Status200OK) =>
        SiloJson.WriteAsync(context.Response, status, value, context.RequestAborted);

    private async Task CreateAsync(HttpContext context)
    {
        CreateConversation request = await reader.ReadOrDefaultAsync<CreateConversation>(context.Request, context.RequestAborted);
        ConversationView view = await Conversations.CreateAsync(Caller.TenantOf(context), request, context.RequestAborted);
        context.Response.Headers.Location = "/v1/conversations/" + Uri.EscapeDataString(view.Id);
        await AnswerAsync(context, view, StatusCodes.Status201Created);
    }

    private async Task ListAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.ListPageAsync(Caller.TenantOf(context), ListQuery.Limit(context.Request), ListQuery.After(context.Request), context.RequestAborted));

    private async Task GetAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.GetAsync(Key(context), context.RequestAborted));

    private async Task DeleteAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.DeleteAsync(Key(context), context.RequestAborted));

    private async Task DeleteByQueryAsync(HttpContext context)
    {
        string id = context.Request.Query["id"] is [{ Length: > 0 } given]
            ? given
            : throw ApiException.BadRequest("'id' is missing: name the conversation in the path, or else once in the query.", "id", ApiException.MissingParameter);
        await AnswerAsync(context, await Conversations.DeleteAsync(new ConversationKey(Caller.TenantOf(context), id), context.RequestAborted));
    }

    private async Task TurnAsync(HttpContext context)
    {
        using TurnScope turn = gate.Enter(context);
        TurnBody body = await reader.ReadAsync<TurnBody>(context.Request, context.RequestAborted);
        await RunAsync(context, Conversations.TurnAsync(Key(context), body.ToRequest(), turn.Token), body.Stream);
    }

    private async Task RegenerateAsync(HttpContext context)
    {
        using TurnScope turn = gate.Enter(context);
        RegenerateBody body = await reader.ReadOrDefaultAsync<RegenerateBody>(context.Request, context.RequestAborted);
        await RunAsync(context, Conversations.RegenerateAsync(Key(context), body.Options, turn.Token), body.Stream);
    }

    private async Task EditAsync(HttpContext context)
    {
        EditBody body = await reader.ReadAsync<EditBody>(context.Request, context.RequestAborted);
        var edit = new EditRequest { Index = Index(context), Content = body.Content, DropLater = body.DropLater, ExpectedVersion = body.ExpectedVersion };
        await AnswerAsync(context, await Conversations.EditAsync(Key(context), edit, context.RequestAborted));
    }

    private async Task TruncateAsync(HttpContext context) =>
        await AnswerAsync(context, await Conversations.TruncateAsync(Key(context), Index(context), context.RequestAborted));

    private async Task ForkAsync(HttpContext context)
    {
        ForkRequest request = await reader.ReadOrDefaultAsync<ForkRequest>(context.Request, context.RequestAborted);
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
        PinRequest request = await reader.ReadOrDefaultAsync<PinRequest>(context.Request, context.RequestAborted);
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
