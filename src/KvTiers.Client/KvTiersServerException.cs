using System.Net;

namespace KvTiers.Client;

/// <summary>The server answered with an error that is neither bad input nor about one conversation, or broke off.</summary>
/// <remarks><see cref="HttpRequestException.StatusCode"/> is null when a stream broke off or what came could not be read.</remarks>
public sealed class KvTiersServerException : HttpRequestException
{
    /// <summary>For an answer with this status and error.</summary>
    public KvTiersServerException(
        string message, HttpStatusCode? statusCode = null, string? type = null, string? code = null, TimeSpan? retryAfter = null, Exception? inner = null)
        : base(message, inner, statusCode)
    {
        Type = type;
        Code = code;
        RetryAfter = retryAfter;
    }

    /// <summary>The kind of error: <c>rate_limit_error</c>, <c>server_error</c>, …; null when the server named none.</summary>
    public string? Type { get; }

    /// <summary>The server's name for the case, for programs; null when it has none.</summary>
    public string? Code { get; }

    /// <summary>When to try again, as the server asks when it is busy or not ready.</summary>
    public TimeSpan? RetryAfter { get; }
}
