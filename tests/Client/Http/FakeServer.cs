using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Cli.Tests.Http;

/// <summary>A server that is a function; keeps what it was asked.</summary>
internal sealed class FakeServer(Func<FakeRequest, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
{
    public FakeServer(Func<FakeRequest, HttpResponseMessage> answer)
        : this((request, _) => Task.FromResult(answer(request)))
    {
    }

    public List<FakeRequest> Requests { get; } = [];

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    /// <summary>Each event as <c>data: …</c>; <c>[DONE]</c> is not added.</summary>
    public static HttpResponseMessage Events(params IEnumerable<string> events) => Stream(new MemoryStream(
        Encoding.UTF8.GetBytes(string.Concat(events.Select(data => $"data: {data}\n\n")))));

    public static HttpResponseMessage Stream(Stream stream)
    {
        var content = new StreamContent(stream);
        content.Headers.ContentType = new("text/event-stream");
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }

    public static HttpResponseMessage Error(HttpStatusCode status, string message, string type, string? code = null, string? param = null) => Json(
        new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = type, ["param"] = param, ["code"] = code } }.ToJsonString(), status);

    public HttpClient NewClient() => new(this, disposeHandler: false);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string? body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        var received = new FakeRequest(
            request.Method.Method, request.RequestUri!.AbsolutePath, body is null ? null : JsonNode.Parse(body)!.AsObject(),
            request.Headers.Authorization?.ToString());
        Requests.Add(received);
        return await answer(received, cancellationToken);
    }
}
