using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Writes the errors of <c>/v1/messages</c>, and names each request in the header <c>request-id</c>.</summary>
internal sealed class AnthropicErrorFormat : IErrorFormat
{
    private const string Header = "request-id";

    /// <inheritdoc/>
    public bool Covers(PathString path) => path.StartsWithSegments("/v1/messages");

    /// <inheritdoc/>
    public void Begin(HttpContext context)
    {
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Header] = context.TraceIdentifier;
            return Task.CompletedTask;
        });
    }

    /// <inheritdoc/>
    public object Body(ApiException error, HttpContext context) =>
        new AnthropicErrorBody(new AnthropicError(TypeOf(error.Status), error.Error.Message) { Param = error.Error.Param, Code = error.Error.Code }, context.TraceIdentifier);

    /// <inheritdoc/>
    public (string Name, object Data) Event(ApiException error, HttpContext context) => ("error", Body(error, context));

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status404NotFound => "not_found_error",
        StatusCodes.Status413PayloadTooLarge => "request_too_large",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        StatusCodes.Status503ServiceUnavailable => "overloaded_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
