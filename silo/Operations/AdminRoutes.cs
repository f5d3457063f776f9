using System.Globalization;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Hosting;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Operations;

/// <summary>The operator's routes: what the tiers, the radix tree and the conversations hold, and resizing a tier.</summary>
internal sealed partial class AdminRoutes(ModelHost host, ApiKeys keys, ILogger<AdminRoutes> logger)
{
    private const int DefaultRadixNodes = 1_000;
    private const int MostRadixNodes = 100_000;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder admin = routes.MapGroup("/admin").WithMetadata(new AccessRequirement(AccessLevel.Administrator));
        admin.MapGet("/conversations", ConversationsAsync);
        admin.MapGet("/radix", RadixAsync);
        admin.MapGet("/tiers", TiersAsync);
        admin.MapPost("/tiers/{tier}/resize", ResizeAsync);
    }

    private static Task AnswerAsync<T>(HttpContext context, T value) =>
        SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, value, context.RequestAborted);

    private async Task ConversationsAsync(HttpContext context)
    {
        var tenants = new List<TenantConversations>();
        foreach (string tenant in keys.Tenants)
            tenants.Add(new TenantConversations(tenant, await host.Model.Conversations.ListAsync(tenant, context.RequestAborted)));
        await AnswerAsync(context, new { Tenants = tenants });
    }

    private Task RadixAsync(HttpContext context)
    {
        int nodes = DefaultRadixNodes;
        if (context.Request.Query["nodes"] is [{ } asked] && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out nodes) || nodes is < 1 or > MostRadixNodes))
            throw ApiException.BadRequest($"'nodes' is '{asked}'; it must be from 1 to {MostRadixNodes}.", "nodes");
        LoadedModel model = host.Model;
        return AnswerAsync(context, RadixView.Of(model.Cache.DumpRadix(nodes), model.Tokenizer));
    }

    private Task TiersAsync(HttpContext context) =>
        AnswerAsync(context, new
        {
            Tiers = new[] { HotTierStatus.Of(host.Model.Cache) },
            Colder = host.Model.Engine.Tiers?.Usage ?? [],
            Engine = host.Model.Engine.Snapshot(),
        });

    private async Task ResizeAsync(HttpContext context)
    {
        string tier = (string)context.Request.RouteValues["tier"]!;
        if (tier != "hot") throw ApiException.NotFound($"There is no tier '{tier}'. There is: hot.", "tier", "unknown_tier");
        ResizeRequest request = await SiloJson.ReadAsync<ResizeRequest>(context.Request, context.RequestAborted);
        KvCache cache = host.Model.Cache;
        long most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (!ByteSize.TryParse(request.Capacity, out long bytes) || bytes < cache.Layout.BytesPerBlock || bytes > most)
        {
            throw ApiException.BadRequest(
                $"'capacity' is '{request.Capacity}'; it must be a size such as 512MiB, from one block ({cache.Layout.BytesPerBlock} B) to the machine's {ByteSize.Format(most)}.",
                "capacity");
        }

        int reached = cache.Resize((int)Math.Min(int.MaxValue, bytes / cache.Layout.BytesPerBlock));
        Resized(logger, ByteSize.Format(bytes), reached);
        await AnswerAsync(context, HotTierStatus.Of(cache));
    }

    [LoggerMessage(1, LogLevel.Information, "Hot tier resized to {Size} on request; it has {Blocks} blocks now")]
    private static partial void Resized(ILogger logger, string size, int blocks);
}
