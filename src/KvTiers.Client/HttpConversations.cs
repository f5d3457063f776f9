using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Client.Http;
using KvTiers.Conversations;

namespace KvTiers.Client;

/// <summary>Conversations on a server, over its HTTP API: the same calls, answers and exceptions as in process.</summary>
/// <remarks>
/// Thread-safe. Leaving a stream early, or cancelling it, stops the computation on the server. Beyond the exceptions of
/// <see cref="IConversations"/>: <see cref="HttpRequestException"/> when the server cannot be reached, <see cref="KvTiersServerException"/>
/// (one of those) when it fails, <see cref="TimeoutException"/> past <see cref="KvTiersClientOptions.SilenceLimit"/>.
/// </remarks>
public sealed class HttpConversations : IConversations
{
    private const string Conversations = "v1/conversations";

    private readonly ServerApi _api;

    /// <summary>Over <paramref name="http"/>, which stays the caller's and whose own timeout should be infinite.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">An option breaks its rule.</exception>
    public HttpConversations(HttpClient http, KvTiersClientOptions options, TimeProvider? time = null) => _api = new ServerApi(http, options, time);

    /// <inheritdoc/>
    public Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default)
    {
        CheckTenant(tenant);
        ArgumentNullException.ThrowIfNull(request);
        Subject? subject = request.Id is { } id ? new Subject(new ConversationKey(tenant, id)) : null;
        return _api.SendAsync<ConversationView>(HttpMethod.Post, Conversations, request, subject, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        _api.SendAsync<ConversationView>(HttpMethod.Get, PathOf(key), null, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default)
    {
        List<ConversationSummary> all = [];
        ConversationPage page;
        do
        {
            page = await ListPageAsync(tenant, ConversationPage.MaxLimit, all.Count == 0 ? null : all[^1].Id, cancellationToken).ConfigureAwait(false);
            all.AddRange(page.Data);
        }
        while (page.HasMore && page.Data.Count > 0);
        return [.. all.OrderByDescending(summary => summary.UpdatedAt).ThenBy(summary => summary.Id, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public Task<ConversationPage> ListPageAsync(string tenant, int limit = ConversationPage.DefaultLimit, string? after = null, CancellationToken cancellationToken = default)
    {
        CheckTenant(tenant);
        ConversationPage.CheckLimit(limit);
        string query = FormattableString.Invariant($"?limit={limit}") + (after is null ? "" : "&after=" + Uri.EscapeDataString(after));
        return _api.SendAsync<ConversationPage>(HttpMethod.Get, Conversations + query, null, null, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> TurnAsync(ConversationKey key, TurnRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _api.StreamAsync<TurnEvent>(PathOf(key, "turns"), Streamed(request), new Subject(key, request.ExpectedVersion), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var body = new JsonObject { ["options"] = JsonSerializer.SerializeToNode(options, ConversationJson.Options), ["stream"] = true };
        return _api.StreamAsync<TurnEvent>(PathOf(key, "regenerate"), body, new Subject(key), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<EditReceipt> EditAsync(ConversationKey key, EditRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        JsonObject body = ToObject(request);
        body.Remove("index");
        return _api.SendAsync<EditReceipt>(
            HttpMethod.Patch, MessagePath(key, request.Index), body, new Subject(key, request.ExpectedVersion), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<EditReceipt> TruncateAsync(ConversationKey key, int index, CancellationToken cancellationToken = default) =>
        _api.SendAsync<EditReceipt>(HttpMethod.Delete, MessagePath(key, index), null, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task<ConversationView> ForkAsync(ConversationKey key, ForkRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _api.SendAsync<ConversationView>(HttpMethod.Post, PathOf(key, "fork"), request, new Subject(key), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<EditReceipt> UndoAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        _api.SendAsync<EditReceipt>(HttpMethod.Post, PathOf(key, "undo"), null, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task<WarmReceipt> WarmAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        _api.SendAsync<WarmReceipt>(HttpMethod.Post, PathOf(key, "warm"), null, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task<PinReceipt> PinAsync(ConversationKey key, TimeSpan? ttl, CancellationToken cancellationToken = default) =>
        _api.SendAsync<PinReceipt>(
            HttpMethod.Post, PathOf(key, "pin"), new PinRequest { TtlSeconds = ttl?.TotalSeconds }, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task UnpinAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        _api.SendAsync(HttpMethod.Post, PathOf(key, "unpin"), new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task<Explanation> ExplainAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        _api.SendAsync<Explanation>(HttpMethod.Get, PathOf(key, "explain"), null, new Subject(key), cancellationToken);

    /// <inheritdoc/>
    public Task<DeleteReceipt> DeleteAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        // One that is called '.' or '..' has no path of its own.
        _api.SendAsync<DeleteReceipt>(HttpMethod.Delete, HasNoPath(key) ? $"{Conversations}?id={key.Id}" : PathOf(key), null, new Subject(key), cancellationToken);

    private void CheckTenant(string tenant)
    {
        if (tenant != _api.Options.Tenant)
            throw new ArgumentException($"This client's API key belongs to tenant '{_api.Options.Tenant}', not to '{tenant}'.", nameof(tenant));
    }

    private string MessagePath(ConversationKey key, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return PathOf(key, FormattableString.Invariant($"messages/{index}"));
    }

    private string PathOf(ConversationKey key, string? verb = null)
    {
        if (key.Id is not { } id)
            throw new ArgumentException("The conversation's key is empty.", nameof(key));
        CheckTenant(key.Tenant);
        if (HasNoPath(key))
            throw new ArgumentException($"A conversation named '{id}' cannot be addressed over HTTP; it can be deleted.", nameof(key));
        return Conversations + "/" + Uri.EscapeDataString(id) + (verb is null ? "" : "/" + verb);
    }

    // Ids are ASCII letters, digits, '.', '_', ':' and '-', but "." and ".." alone would climb in the path.
    private bool HasNoPath(ConversationKey key)
    {
        if (key.Id is not ("." or ".."))
            return false;
        CheckTenant(key.Tenant);
        return true;
    }

    private static JsonObject Streamed(TurnRequest request)
    {
        JsonObject body = ToObject(request);
        body["stream"] = true;
        return body;
    }

    private static JsonObject ToObject<T>(T value) => JsonSerializer.SerializeToNode(value, ConversationJson.Options)!.AsObject();
}
