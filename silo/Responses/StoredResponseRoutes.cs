using System.Globalization;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Responses;

/// <summary>The routes of responses that are stored: <c>GET</c> and <c>DELETE /v1/responses/{id}</c>, <c>/cancel</c>, <c>/input_items</c>.</summary>
internal sealed class StoredResponseRoutes(ResponseStore store)
{
    private const string One = "/v1/responses/{id}";
    private const int DefaultLimit = 20;
    private const int MostLimit = 100;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(One, GetAsync).WithSummary("A stored response.");
        routes.MapDelete(One, DeleteAsync).WithSummary("Deletes a stored response and the blocks that only it used.");
        routes.MapPost(One + "/cancel", CancelAsync).WithSummary("400: a stored response is complete.");
        routes.MapGet(One + "/input_items", ItemsAsync).WithSummary("What led to a stored response.");
    }

    private static string Id(HttpContext context) => (string)context.Request.RouteValues["id"]!;

    private static Task AnswerAsync<T>(HttpContext context, T value) => SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, value, context.RequestAborted);

    private Task<StoredResponse> FindAsync(HttpContext context) => store.FindAsync(Caller.TenantOf(context), Id(context), null, context.RequestAborted);

    private async Task GetAsync(HttpContext context)
    {
        if (context.Request.Query["stream"] == "true") throw ApiException.Unsupported("stream", "streaming a response that is complete");
        await AnswerAsync(context, (await FindAsync(context)).ToResponse());
    }

    private async Task DeleteAsync(HttpContext context)
    {
        await store.DeleteAsync(Caller.TenantOf(context), Id(context), context.RequestAborted);
        await AnswerAsync(context, new DeletedResponse(Id(context)));
    }

    // What runs ends when its caller leaves; what is stored is complete.
    private async Task CancelAsync(HttpContext context)
    {
        await FindAsync(context);
        throw ApiException.BadRequest($"The response '{Id(context)}' is complete; only one in the background could be cancelled, and this server has none.", null, "response_complete");
    }

    private async Task ItemsAsync(HttpContext context)
    {
        string? order = context.Request.Query["order"].FirstOrDefault() ?? "desc";
        if (order is not ("asc" or "desc")) throw ApiException.BadRequest("'order' must be asc or desc.", "order");
        string limitText = context.Request.Query["limit"].FirstOrDefault() ?? DefaultLimit.ToString(CultureInfo.InvariantCulture);
        if (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) || limit is < 1 or > MostLimit)
            throw ApiException.BadRequest($"'limit' must be a whole number from 1 to {MostLimit}.", "limit");

        List<IItem> items = [.. (await FindAsync(context)).InputItems()];
        if (order == "desc") items.Reverse();
        if (context.Request.Query["after"].FirstOrDefault() is { } after)
        {
            int index = items.FindIndex(item => item.Id == after);
            if (index < 0) throw ApiException.BadRequest($"'after' is '{after}'; it must be the id of an item of this response.", "after");
            items.RemoveRange(0, index + 1);
        }

        IItem[] page = [.. items.Take(limit)];
        await AnswerAsync(context, new ItemList(page, page.FirstOrDefault()?.Id, page.LastOrDefault()?.Id, items.Count > page.Length));
    }
}
