using Microsoft.AspNetCore.Diagnostics;

namespace KvTiers.Silo.Http;

/// <summary>Gives a body in the API's error schema to answers that the framework left without one: no such route, wrong method.</summary>
internal static class StatusBody
{
    /// <summary>Writes the body.</summary>
    public static Task WriteAsync(StatusCodeContext status)
    {
        HttpContext context = status.HttpContext;
        HttpRequest request = context.Request;
        if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && HttpMethods.IsOptions(request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        ApiException error = context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => ApiException.NotFound($"There is nothing at {request.Method} {request.Path}.", null, "unknown_url"),
            StatusCodes.Status405MethodNotAllowed => ApiException.Other(405, $"{request.Method} is not allowed at {request.Path}; allowed: {context.Response.Headers.Allow}."),
            int other => ApiException.Other(other, $"The request failed with status {other}."),
        };
        object body = context.RequestServices.GetRequiredService<ErrorFormats>().Of(request.Path)?.Body(error, context) ?? new ApiErrorBody(error.Error);
        return SiloJson.WriteAsync(context.Response, error.Status, body, context.RequestAborted);
    }
}
