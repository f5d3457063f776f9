using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Client;
using KvTiers.Conversations;
using Microsoft.Extensions.AI;

namespace KvTiers.Bench.Serving;

/// <summary>Asks a server for streamed answers of a fixed number of tokens, and for what its operator may.</summary>
internal sealed class ServingClient(ServerProcess server, IReadOnlyList<int> endOfText)
{
    private const double Never = -100;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly KvTiersChatClient _chat = new(server.Http, new KvTiersClientOptions { BaseAddress = server.Http.BaseAddress! });
    private readonly HttpConversations _conversations = new(server.Http, new KvTiersClientOptions { BaseAddress = server.Http.BaseAddress! });

    /// <summary>A chat completion with all of the history; the server keeps no conversation.</summary>
    public async Task<ServedAnswer> AskAsync(string system, string question, int answerTokens, CancellationToken cancel)
    {
        var options = new ChatOptions
        {
            MaxOutputTokens = answerTokens,
            Temperature = 0,
            AdditionalProperties = new() { ["logit_bias"] = endOfText.ToDictionary(id => id.ToString(CultureInfo.InvariantCulture), _ => Never) },
        };
        TimeSpan? ttft = null;
        UsageDetails? usage = null;
        CachedTokens? cached = null;
        var clock = Stopwatch.StartNew();
        await foreach (ChatResponseUpdate update in _chat.GetStreamingResponseAsync([new(ChatRole.System, system), new(ChatRole.User, question)], options, cancel))
        {
            ttft ??= clock.Elapsed;
            usage = update.Contents.OfType<UsageContent>().SingleOrDefault()?.Details ?? usage;
            if (update.AdditionalProperties?["kvtiers"] is JsonElement told)
                cached = told.GetProperty("cached").Deserialize<CachedTokens>(ConversationJson.Options);
        }

        return new ServedAnswer(ttft!.Value, clock.Elapsed, (int)usage!.InputTokenCount!, (int)usage.OutputTokenCount!, cached!);
    }

    /// <summary>Creates a conversation whose turn is to be taken with the cache off.</summary>
    public async Task<ConversationKey> CreateAsync(string system, CancellationToken cancel)
    {
        ConversationView view = await _conversations.CreateAsync(
            KvTiersClientOptions.DefaultTenant, new CreateConversation { Messages = [new("system", system)] }, cancel);
        return new ConversationKey(KvTiersClientOptions.DefaultTenant, view.Id);
    }

    /// <summary>The same question as a turn of a conversation, with the cache off.</summary>
    public async Task<ServedAnswer> AskWithoutCacheAsync(ConversationKey key, string question, int answerTokens, CancellationToken cancel)
    {
        var request = new TurnRequest
        {
            Messages = [new("user", question)],
            Options = new GenerationOptions
            {
                MaxTokens = answerTokens,
                Temperature = 0,
                UseCache = false,
                LogitBias = [.. endOfText.Select(id => new LogitBias(id, Never))],
            },
        };
        TimeSpan? ttft = null;
        TurnUsage? usage = null;
        var clock = Stopwatch.StartNew();
        await foreach (TurnEvent step in _conversations.TurnAsync(key, request, cancel))
        {
            ttft ??= step is TurnToken ? clock.Elapsed : null;
            usage = (step as TurnCompleted)?.Usage ?? usage;
        }

        return new ServedAnswer(ttft!.Value, clock.Elapsed, usage!.PromptTokens, usage.CompletionTokens, usage.Cached);
    }

    /// <summary>Full garbage collections of the server since its start.</summary>
    public async Task<int> FullCollectionsAsync(CancellationToken cancel)
    {
        const string Series = "dotnet_gc_collections_total{generation=\"2\"} ";
        string metrics = await server.Http.GetStringAsync(new Uri("metrics", UriKind.Relative), cancel);
        string line = metrics.Split('\n').Single(line => line.StartsWith(Series, StringComparison.Ordinal));
        return int.Parse(line.AsSpan(Series.Length), CultureInfo.InvariantCulture);
    }

    /// <summary>Resizes a tier.</summary>
    public Task ResizeAsync(string tier, string capacity, CancellationToken cancel) =>
        PostAsync($"admin/tiers/{tier}/resize", new JsonObject { ["capacity"] = capacity }, cancel);

    /// <summary>Empties a tier.</summary>
    public Task ClearAsync(string tier, CancellationToken cancel) => PostAsync($"admin/tiers/{tier}/clear", [], cancel);

    /// <summary>Waits until no block waits to be written to a colder tier.</summary>
    public async Task DrainAsync(CancellationToken cancel)
    {
        while (true)
        {
            JsonNode tiers = JsonNode.Parse(await server.Http.GetStringAsync(new Uri("admin/tiers", UriKind.Relative), cancel))!;
            if (tiers["colder"]!.AsArray().All(tier => (int)tier!["queued_blocks"]! == 0))
                return;

            await Task.Delay(PollInterval, cancel);
        }
    }

    private async Task PostAsync(string path, JsonObject body, CancellationToken cancel)
    {
        using var content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await server.Http.PostAsync(new Uri(path, UriKind.Relative), content, cancel);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"POST {path} was answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancel)}");
    }
}
