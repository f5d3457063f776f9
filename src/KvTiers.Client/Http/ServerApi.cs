using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Client.Http;

/// <summary>Sends requests to the server; reads JSON answers, streams of events, and errors.</summary>
internal sealed class ServerApi
{
    /// <summary>Name of the client's <see cref="HttpClient"/> in the factory.</summary>
    public const string HttpClientName = "KvTiers";

    private readonly HttpClient _http;
    private readonly Uri _root;
    private readonly TimeProvider _time;

    public ServerApi(HttpClient http, KvTiersClientOptions options, TimeProvider? time)
    {
        ArgumentNullException.ThrowIfNull(http);
        KvTiersClientOptionsValidator.ThrowIfInvalid(options);
        _http = http;
        _time = time ?? TimeProvider.System;
        Options = options;
        _root = options.BaseAddress.AbsoluteUri.EndsWith('/') ? options.BaseAddress : new Uri(options.BaseAddress.AbsoluteUri + "/");
    }

    public KvTiersClientOptions Options { get; }

    /// <summary>Sends a request and reads its answer.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">Relative to the base address, without a slash before it.</param>
    /// <param name="body">Sent as JSON; null = no body.</param>
    /// <param name="subject">What the request is about.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, Subject? subject, CancellationToken cancellationToken)
    {
        using var silence = new SilenceTimer(Options.SilenceLimit, _time, cancellationToken);
        try
        {
            using HttpResponseMessage response = await OpenAsync(method, path, body, subject, silence.Token).ConfigureAwait(false);
            return await response.Content.ReadFromJsonAsync<T>(ConversationJson.Options, silence.Token).ConfigureAwait(false)
                ?? throw Unreadable(null);
        }
        catch (JsonException exception)
        {
            throw Unreadable(exception);
        }
        catch (OperationCanceledException) when (silence.IsExceeded)
        {
            throw silence.Exceeded();
        }
    }

    /// <summary>As <see cref="SendAsync{T}"/> for a request whose answer says nothing.</summary>
    public async Task SendAsync(HttpMethod method, string path, Subject? subject, CancellationToken cancellationToken)
    {
        using var silence = new SilenceTimer(Options.SilenceLimit, _time, cancellationToken);
        try
        {
            using HttpResponseMessage response = await OpenAsync(method, path, null, subject, silence.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (silence.IsExceeded)
        {
            throw silence.Exceeded();
        }
    }

    /// <summary>Posts a request and reads its answer event by event, up to <c>[DONE]</c>.</summary>
    /// <exception cref="KvTiersServerException">The stream ended before <c>[DONE]</c>, or an event could not be read.</exception>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        string path, object body, Subject? subject, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        using var silence = new SilenceTimer(Options.SilenceLimit, _time, cancellationToken);
        HttpResponseMessage response;
        try
        {
            response = await OpenAsync(HttpMethod.Post, path, body, subject, silence.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (silence.IsExceeded)
        {
            throw silence.Exceeded();
        }

        using (response)
        {
            Stream stream = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
            await using IAsyncEnumerator<SseItem<string>> events =
                SseParser.Create(stream).EnumerateAsync(silence.Token).GetAsyncEnumerator(silence.Token);
            while (await NextAsync(events, silence).ConfigureAwait(false) is { } data)
                yield return Read<T>(data, subject);
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(
        HttpMethod method, string path, object? body, Subject? subject, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(_root, path));
        if (Options.ApiKey is { } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
        {
            // As bytes, so that it has a length: not every proxy takes chunks.
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, body.GetType(), ConversationJson.Options));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        HttpResponseMessage response =
            await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await ReadErrorAsync(response, subject, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Exception> ReadErrorAsync(HttpResponseMessage response, Subject? subject, CancellationToken cancellationToken)
    {
        ErrorDetail? error = null;
        try
        {
            error = (await response.Content.ReadFromJsonAsync<ErrorBody>(ConversationJson.Options, cancellationToken).ConfigureAwait(false))?.Error;
        }
        catch (JsonException)
        {
            // A proxy's page, or another server's: the status has to do.
        }

        return ServerErrors.ToException(
            error ?? new ErrorDetail { Message = $"The server answered {(int)response.StatusCode} {response.ReasonPhrase}." },
            response.StatusCode, response.Headers.RetryAfter?.Delta, subject);
    }

    // The next event's data, or null after [DONE].
    private static async ValueTask<string?> NextAsync(IAsyncEnumerator<SseItem<string>> events, SilenceTimer silence)
    {
        try
        {
            silence.Restart();
            if (!await events.MoveNextAsync().ConfigureAwait(false))
                throw new KvTiersServerException("The answer broke off before its end.");

            // The time that the caller takes for the event is not the server's.
            silence.Stop();
            return events.Current.Data == "[DONE]" ? null : events.Current.Data;
        }
        catch (OperationCanceledException) when (silence.IsExceeded)
        {
            throw silence.Exceeded();
        }
        catch (IOException exception)
        {
            throw new KvTiersServerException("The answer broke off before its end.", inner: exception);
        }
    }

    private static T Read<T>(string data, Subject? subject)
        where T : class
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(data);
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
                throw ServerErrors.ToException(error.Deserialize<ErrorDetail>(ConversationJson.Options)!, null, null, subject);
            return root.Deserialize<T>(ConversationJson.Options) ?? throw Unreadable(null);
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            throw Unreadable(exception);
        }
    }

    private static KvTiersServerException Unreadable(Exception? inner) =>
        new("What the server sent cannot be read: " + (inner?.Message ?? "it is empty."), inner: inner);
}
