using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Silo.Http;

/// <summary>Turns every exception of a request into an answer in OpenAI's error schema; inside a stream that has begun, into an error event.</summary>
internal sealed partial class ApiErrorMiddleware(RequestDelegate next, StopSignal stop, ILogger<ApiErrorMiddleware> logger)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            RequestIdMiddleware.Check(context);
            await next(context);
        }
        catch (Exception e) when (e is not ApiException && context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
            if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e)
        {
            ApiException error = Translate(e, context.Request.Path);
            if (error.Status == StatusCodes.Status500InternalServerError) RequestFailed(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, e);
            await AnswerAsync(context, error);
        }
    }

    private static async Task AnswerAsync(HttpContext context, ApiException error)
    {
        var body = new ApiErrorBody(error.Error);
        if (context.Response.HasStarted)
        {
            // Half a JSON answer cannot be mended; the caller must see that it broke off.
            if (SseWriter.IsStream(context.Response)) await new SseWriter(context.Response, context.RequestAborted).WriteAsync(body);
            else context.Abort();
            return;
        }

        context.Response.Clear();
        if (error.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        if (error.Status is StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
        await SiloJson.WriteAsync(context.Response, error.Status, body, context.RequestAborted);
    }

    private ApiException Translate(Exception e, PathString path) => e switch
    {
        ApiException known => known,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiException.Other(413, "The body is larger than this server takes.", e),
        BadHttpRequestException bad => ApiException.Other(bad.StatusCode, bad.Message, e),
        ConversationNotFoundException => ApiException.NotFound(e.Message, null, "conversation_not_found", e),
        ConversationConflictException => ApiException.Conflict(e.Message, e),
        ConversationDamagedException => ApiException.Damaged(e.Message, e),
        ConversationStoreUnavailableException => ApiException.Unavailable("The conversation store does not answer. What was acknowledged is on it; try again soon.", "store_unavailable", e),
        ConversationUnreachableException => ApiException.Unavailable("The silo that has the conversation cannot be reached. What was acknowledged is stored; try again soon.", "silo_unavailable", e),
        PromptTooLongException tooLong => ApiException.ContextLengthExceeded(WireNames.Message(tooLong), path == "/v1/completions" ? "prompt" : "messages", e),
        EngineBusyException => ApiException.Busy(e.Message, e),
        TemplateException { IsRefusal: true } => ApiException.BadRequest(e.Message, "messages", null, e),
        ArgumentException argument => ApiException.BadRequest(
            WireNames.Message(argument), argument.ParamName is { } name ? WireNames.Of(name) : null, null, e),
        OperationCanceledException or ObjectDisposedException when stop.IsStopping => ApiException.Unavailable("The server is shutting down.", "shutting_down", e),
        _ => ApiException.Internal(e),
    };

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed (request {RequestId})")]
    private static partial void RequestFailed(ILogger logger, string method, string path, string requestId, Exception exception);
}
