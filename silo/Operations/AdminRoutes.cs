using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Tiers;

namespace KvTiers.Silo.Operations;

/// <summary>The operator's routes: what the tiers, the radix tree and the conversations hold, and resizing and clearing a tier.</summary>
internal sealed partial class AdminRoutes(ModelHost host, ApiKeys keys, RequestReader reader, ILogger<AdminRoutes> logger)
{
    private const int DefaultRadixNodes = 1_000;
    private const int MostRadixNodes = 100_000;
    private const string Hot = "hot";

    private static long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder admin = routes.MapGroup("/admin").WithMetadata(new AccessRequirement(AccessLevel.Administrator));
        admin.MapGet("/conversations", ConversationsAsync).WithSummary("Every tenant's conversations, or those of `tenant`: of each a page, by `limit` and `after`.");
        admin.MapGet("/radix", RadixAsync).WithSummary("The tree of cached prefixes.");
        admin.MapGet("/tiers", TiersAsync).WithSummary("What the tiers hold.");
        admin.MapPost("/tiers/{tier}/resize", ResizeAsync).WithSummary("Gives a tier another capacity.").WithMetadata(new RequestFields(FieldTable.Of<ResizeRequest>));
        admin.MapPost("/tiers/{tier}/clear", ClearAsync).WithSummary("Empties a tier.");
    }

    private static Task AnswerAsync<T>(HttpContext context, T value) =>
        SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, value, context.RequestAborted);

    private async Task ConversationsAsync(HttpContext context)
    {
        var tenants = new List<TenantConversations>();
        int limit = ListQuery.Limit(context.Request);
        string? after = ListQuery.After(context.Request);
        string? only = context.Request.Query["tenant"].FirstOrDefault();
        if (only is null && after is not null) throw ApiException.BadRequest("'after' is only allowed with 'tenant': each tenant has pages of its own.", "after");
        foreach (string tenant in only is null ? keys.Tenants : [only])
        {
            ConversationPage page = await host.Model.Conversations.ListPageAsync(tenant, limit, after, context.RequestAborted);
            tenants.Add(new TenantConversations(tenant, page.Data, page.HasMore));
        }

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
        string tier = Tier(context);
        ResizeRequest request = await reader.ReadAsync<ResizeRequest>(context.Request, context.RequestAborted);
        if (tier == Hot)
        {
            KvCache cache = host.Model.Cache;
            long wanted = Capacity(request, cache.Shape.BytesPerBlock, MemoryBytes, "the machine's");
            int reached = cache.Resize((int)Math.Min(int.MaxValue, wanted / cache.Shape.BytesPerBlock));
            Resized(logger, tier, ByteSize.Format(wanted), ByteSize.Format((long)reached * cache.Shape.BytesPerBlock));
            await AnswerAsync(context, HotTierStatus.Of(cache));
            return;
        }

        TieredCache tiers = host.Model.Engine.Tiers!;
        long least = tiers.Usage.Single(usage => usage.Name == tier).BytesPerBlock;
        long bytes = tier == "ram" ? Capacity(request, least, MemoryBytes, "the machine's") : Capacity(request, least, 1L << 50, "at most");
        TierUsage usage = await tiers.ResizeAsync(tier, bytes, context.RequestAborted);
        Resized(logger, tier, ByteSize.Format(bytes), ByteSize.Format(usage.CapacityBytes));
        await AnswerAsync(context, usage);
    }

    private async Task ClearAsync(HttpContext context)
    {
        string tier = Tier(context);
        Cleared(logger, tier);
        if (tier == Hot)
        {
            host.Model.Cache.Clear();
            await AnswerAsync(context, HotTierStatus.Of(host.Model.Cache));
            return;
        }

        await AnswerAsync(context, await host.Model.Engine.Tiers!.ClearAsync(tier, context.RequestAborted));
    }

    private string Tier(HttpContext context)
    {
        string tier = (string)context.Request.RouteValues["tier"]!;
        string[] names = [Hot, .. host.Model.Engine.Tiers?.Names ?? []];
        return names.Contains(tier) ? tier : throw ApiException.NotFound($"There is no tier '{tier}'. There is: {string.Join(", ", names)}.", "tier", "unknown_tier");
    }

    private static long Capacity(ResizeRequest request, long least, long most, string whose)
    {
        if (ByteSize.TryParse(request.Capacity, out long bytes) && bytes >= least && bytes <= most) return bytes;
        throw ApiException.BadRequest(
            $"'capacity' is '{request.Capacity}'; it must be a size such as 512MiB, from one block ({least} B) to {whose} {ByteSize.Format(most)}.", "capacity");
    }

    [LoggerMessage(1, LogLevel.Information, "Tier {Tier} resized to {Size} on request; its capacity is {Reached} now")]
    private static partial void Resized(ILogger logger, string tier, string size, string reached);

    [LoggerMessage(2, LogLevel.Information, "Tier {Tier} is cleared on request")]
    private static partial void Cleared(ILogger logger, string tier);
}
