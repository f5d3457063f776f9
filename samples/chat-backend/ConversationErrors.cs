using KvTiers.Conversations;
using Microsoft.AspNetCore.Diagnostics;

namespace KvTiers.Samples.ChatBackend;

/// <summary>The client's exceptions as HTTP statuses.</summary>
internal sealed class ConversationErrors(IProblemDetailsService problems) : IExceptionHandler
{
    public ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        int? status = exception switch
        {
            ArgumentException => StatusCodes.Status400BadRequest,
            ConversationNotFoundException => StatusCodes.Status404NotFound,
            ConversationConflictException => StatusCodes.Status409Conflict,
            IOException or HttpRequestException or TimeoutException => StatusCodes.Status503ServiceUnavailable,
            _ => null,
        };
        if (status is not { } known)
            return ValueTask.FromResult(false);
        context.Response.StatusCode = known;
        return problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails =
            {
                Status = known,
                Detail = exception.Message,
            },
        });
    }
}
