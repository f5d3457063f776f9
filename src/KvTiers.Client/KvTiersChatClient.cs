using System.Runtime.CompilerServices;
using KvTiers.Client.Chat;
using KvTiers.Client.Http;
using Microsoft.Extensions.AI;

namespace KvTiers.Client;

/// <summary>The chat client of .NET's AI abstractions over <c>POST /v1/chat/completions</c>.</summary>
/// <remarks>
/// Stateless: each call carries the whole history, of which the server computes only what is new. Usage has the cached tokens in
/// <see cref="UsageDetails.CachedInputTokenCount"/>; the server's <c>kvtiers</c> object (tokens by tier, cost) is under that name in the additional
/// properties of the response, or of the update that carries the usage. Additional properties of the options are sent along, such as
/// <c>conversation</c>, <c>min_p</c> or <c>repetition_penalty</c>. Thread-safe. Throws as <see cref="HttpConversations"/> does, and
/// <see cref="NotSupportedException"/> for tools that are no functions, and for other content than text, calls of functions and their results.
/// </remarks>
public sealed class KvTiersChatClient : IChatClient
{
    private const string Path = "v1/chat/completions";
    private const string CacheProperty = "kvtiers";

    private readonly ServerApi _api;
    private readonly ChatClientMetadata _metadata;

    /// <summary>Over <paramref name="http"/>, which stays the caller's and whose own timeout should be infinite.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">An option breaks its rule.</exception>
    public KvTiersChatClient(HttpClient http, KvTiersClientOptions options, TimeProvider? time = null)
    {
        _api = new ServerApi(http, options, time);
        _metadata = new ChatClientMetadata("kvtiers", options.BaseAddress, options.Model);
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var body = ChatRequest.Create(messages, options, _api.Options.Model, stream: false);
        ChatPiece answer = await _api.SendAsync<ChatPiece>(HttpMethod.Post, Path, body, null, cancellationToken).ConfigureAwait(false);
        if (answer.Choices is not [var choice, ..])
            throw new KvTiersServerException("What the server sent cannot be read: it has no choice.");
        var called = new CalledFunctions();
        called.Add(choice.Message?.ToolCalls?.Select((call, index) => call with { Index = index }));
        var message = new ChatMessage(ChatRole.Assistant, choice.Message?.Content ?? "") { MessageId = answer.Id };
        foreach (AIContent call in Whole(called))
            message.Contents.Add(call);
        return new ChatResponse(message)
        {
            ResponseId = answer.Id,
            ModelId = answer.Model,
            CreatedAt = Time(answer),
            FinishReason = Reason(choice),
            Usage = answer.Usage?.ToDetails(),
            AdditionalProperties = CacheOf(answer),
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var body = ChatRequest.Create(messages, options, _api.Options.Model, stream: true);
        var called = new CalledFunctions();
        await foreach (ChatPiece piece in _api.StreamAsync<ChatPiece>(Path, body, null, cancellationToken).ConfigureAwait(false))
        {
            ChatPieceChoice? choice = piece.Choices is [var first, ..] ? first : null;
            var update = new ChatResponseUpdate(ChatRole.Assistant, choice?.Delta?.Content is { Length: > 0 } text ? text : null)
            {
                ResponseId = piece.Id,
                MessageId = piece.Id,
                ModelId = piece.Model,
                CreatedAt = Time(piece),
                FinishReason = choice is null ? null : Reason(choice),
                AdditionalProperties = CacheOf(piece),
            };
            called.Add(choice?.Delta?.ToolCalls);
            if (choice?.FinishReason is not null)
            {
                foreach (AIContent call in Whole(called))
                    update.Contents.Add(call);
            }

            if (piece.Usage is { } usage)
                update.Contents.Add(new UsageContent(usage.ToDetails()));
            yield return update;
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing: the <see cref="HttpClient"/> is the caller's.</summary>
    public void Dispose()
    {
    }

    private static IReadOnlyList<AIContent> Whole(CalledFunctions called) =>
        called.Take() ?? throw new KvTiersServerException("What the server sent cannot be read: a call of a function has no id or no name.");

    private static DateTimeOffset? Time(ChatPiece piece) => piece.Created is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static ChatFinishReason? Reason(ChatPieceChoice choice) => choice.FinishReason is { } reason ? new ChatFinishReason(reason) : null;

    private static AdditionalPropertiesDictionary? CacheOf(ChatPiece piece) =>
        piece.Kvtiers is { } cache ? new AdditionalPropertiesDictionary { [CacheProperty] = cache } : null;
}
