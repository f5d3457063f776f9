using Microsoft.Net.Http.Headers;

namespace KvTiers.Silo.Http;

/// <summary>Refuses bodies whose encoding the server does not undo. Stands behind what undoes the others, and takes their header away.</summary>
internal sealed class BodyEncodingMiddleware(RequestDelegate next)
{
    /// <summary>Runs the request when its body can be read.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        string encoding = context.Request.Headers.ContentEncoding.ToString();
        if (encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return next(context);
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[HeaderNames.AcceptEncoding] = "gzip, br, deflate";
            return Task.CompletedTask;
        });
        throw ApiException.Other(
            StatusCodes.Status415UnsupportedMediaType, $"The body's content-encoding is '{encoding}'; it must be one of gzip, br and deflate, or none.", code: "unsupported_encoding");
    }
}
