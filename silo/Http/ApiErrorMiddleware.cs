using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using Microsoft.AspNetCore.Connections;

namespace KvTiers.Silo.Http;

/// <summary>Turns every exception of a request into an answer in its API's error schema; inside a stream that has begun, into an error event.</summary>
internal sealed partial class ApiErrorMiddleware(RequestDelegate next, StopSignal stop, ErrorFormats formats, ILogger<ApiErrorMiddleware> logger)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        IErrorFormat? format = formats.Of(context.Request.Path);
        format?.Begin(context);
        try
        {
            RequestIdMiddleware.Check(context);
            await next(context);
        }
        catch (Exception e) when (HasLeft(context, e))
        {
            // Nobody is there to be told. Nor is what is left of the body to be read.
            if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            context.Abort();
        }
        catch (Exception e)
        {
            ApiException error = Translate(e, context.Request.Path);
            if (error.Status == StatusCodes.Status500InternalServerError) RequestFailed(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, e);
            if (e is ConversationUnreachableException) SiloUnreachable(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, e.InnerException?.GetType().Name, e.Message);
            await AnswerAsync(context, error, format);
        }
    }

    // A connection that breaks off is seen by whoever reads from it before the request is told.
    private static bool HasLeft(HttpContext context, Exception e) =>
        context.RequestAborted.IsCancellationRequested || e is ConnectionResetException or ConnectionAbortedException;

    private static async Task AnswerAsync(HttpContext context, ApiException error, IErrorFormat? format)
    {
        if (context.Response.HasStarted)
        {
            // Half a JSON answer cannot be mended; the caller must see that it broke off.
            if (SseWriter.IsStream(context.Response)) await EndStreamAsync(context, error, format);
            else context.Abort();
            return;
        }

        object body = format?.Body(error, context) ?? new ApiErrorBody(error.Error);
        context.Response.Clear();
        if (error.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(error.RetryAfter?.TotalSeconds ?? 1)).ToString(CultureInfo.InvariantCulture);
        if (error.Status is StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
        await SiloJson.WriteAsync(context.Response, error.Status, body, context.RequestAborted);
    }

    private static async Task EndStreamAsync(HttpContext context, ApiException error, IErrorFormat? format)
    {
        var sse = new SseWriter(context.Response, context.RequestAborted);
        if (format is null)
        {
            await sse.WriteAsync(new ApiErrorBody(error.Error));
            return;
        }

        (string name, object data) = format.Event(error, context);
        await sse.WriteAsync(data, name);
    }

    private ApiException Translate(Exception e, PathString path) => e switch
    {
        ApiException known => known,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiException.Other(413, "The body is larger than this server takes.", e),
        BadHttpRequestException bad => ApiException.Other(bad.StatusCode, bad.Message, e),
        ConversationNotFoundException => ApiException.NotFound(e.Message, null, "conversation_not_found", e),
        ConversationConflictException => ApiException.Conflict(e.Message, e),
        ConversationLimitException => ApiException.Forbidden(e.Message, "conversation_limit", e),
        ConversationDamagedException => ApiException.Damaged(e.Message, e),
        ConversationStoreUnavailableException => ApiException.Unavailable($"{e.Message} What was acknowledged is on it; try again soon.", "store_unavailable", e),
        ConversationUnreachableException => ApiException.Unavailable("The silo that has the conversation cannot be reached. What was acknowledged is stored; try again soon.", "silo_unavailable", e),
        PromptTooLongException tooLong => ContextFault.Of(tooLong, path),
        EngineBusyException busy => ApiException.Busy(e.Message, busy.RetryAfter, e),
        TemplateException { IsRefusal: true } => ApiException.BadRequest(e.Message, "messages", null, e),
        // It wrote the chats of the start, so this one is what it cannot write.
        TemplateException => ApiException.BadRequest(e.Message, "messages", "template_failed", e),
        GenerationFailedException { InnerException: ConstraintException constraint } => ApiException.BadRequest(constraint.Message, null, "invalid_form", e),
        ArgumentException argument => ApiException.BadRequest(
            WireNames.Message(argument), argument.ParamName is { } name ? WireNames.Of(name) : null, null, e),
        OperationCanceledException or ObjectDisposedException when stop.IsStopping => ApiException.Unavailable("The server is shutting down.", "shutting_down", e),
        _ => ApiException.Internal(e),
    };

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed (request {RequestId})")]
    private static partial void RequestFailed(ILogger logger, string method, string path, string requestId, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "{Method} {Path} reached no silo (request {RequestId}): {Kind} {Reason}")]
    private static partial void SiloUnreachable(ILogger logger, string method, string path, string requestId, string? kind, string reason);
}
