using KvTiers.Silo.Http;

namespace KvTiers.Silo.Responses;

/// <summary>Errors of <c>/v1/responses</c> are OpenAI's; in a stream that has begun, one is the response's end: <c>response.failed</c>.</summary>
internal sealed class ResponsesErrorFormat : IErrorFormat
{
    /// <inheritdoc/>
    public bool Covers(PathString path) => path.StartsWithSegments("/v1/responses");

    /// <inheritdoc/>
    public void Begin(HttpContext context)
    {
        // Answers carry nothing of their own.
    }

    /// <inheritdoc/>
    public object Body(ApiException error, HttpContext context) => new ApiErrorBody(error.Error);

    /// <inheritdoc/>
    public (string Name, object Data) Event(ApiException error, HttpContext context) =>
        context.Features.Get<ResponseStream>()?.Failed(error.Error) is { } failed ? (failed.Type, failed) : ("error", new ApiErrorBody(error.Error));
}
