using System.Net;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests;

/// <summary>Requests with JSON written out, so that a test shows what goes over the wire.</summary>
internal static class JsonHttp
{
    /// <summary>Posts JSON and reads JSON; a failure's body is in the exception.</summary>
    public static async Task<JsonObject> PostAsync(this HttpClient http, string path, string json, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage response = await http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
        return await ReadAsync(response, expected);
    }

    /// <summary>Sends any request and reads JSON.</summary>
    public static async Task<JsonObject> SendJsonAsync(this HttpClient http, HttpMethod method, string path, string? json = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await http.SendAsync(request);
        return await ReadAsync(response, expected);
    }

    /// <summary>Gets JSON.</summary>
    public static Task<JsonObject> GetJsonAsync(this HttpClient http, string path, HttpStatusCode expected = HttpStatusCode.OK) =>
        http.SendJsonAsync(HttpMethod.Get, path, null, expected);

    /// <summary>Posts JSON and gives each event's data up to the end of the stream.</summary>
    public static async IAsyncEnumerable<string> StreamAsync(
        this HttpClient http, string path, string json, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(cancellationToken)) yield return item.Data;
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}, not {(int)expected}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(text)!.AsObject();
    }
}
