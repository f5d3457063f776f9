namespace KvTiers.Silo.Http;

/// <summary>A request ends with this status and error.</summary>
internal sealed class ApiException : Exception
{
    /// <summary>Code of a required parameter that is missing.</summary>
    public const string MissingParameter = "missing_required_parameter";

    private ApiException(int status, string type, string message, string? param, string? code, Exception? inner = null)
        : base(message, inner)
    {
        Status = status;
        Error = new ApiError { Message = message, Type = type, Param = param, Code = code };
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>When it is worth trying again; null = not known.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>The error as the caller sees it.</summary>
    public ApiError Error { get; }

    /// <summary>400: the request is wrong; <paramref name="param"/> is to blame. Without a code of its own, a parameter's is <c>invalid_value</c>.</summary>
    public static ApiException BadRequest(string message, string? param = null, string? code = null, Exception? inner = null) =>
        new(StatusCodes.Status400BadRequest, InvalidRequest, message, param, code ?? (param is null ? null : "invalid_value"), inner);

    /// <summary>400: the request uses something that this server does not do.</summary>
    public static ApiException Unsupported(string param, string what) =>
        BadRequest($"'{param}': {what} is not supported by this server.", param, "unsupported_parameter");

    /// <summary>400: prompt and answer do not fit the model's context.</summary>
    public static ApiException ContextLengthExceeded(string message, string param, Exception inner) =>
        BadRequest(message, param, "context_length_exceeded", inner);

    /// <summary>401: the API key is missing or unknown.</summary>
    public static ApiException Unauthorized(string message) =>
        new(StatusCodes.Status401Unauthorized, InvalidRequest, message, null, "invalid_api_key");

    /// <summary>403: the caller may not do this.</summary>
    public static ApiException Forbidden(string message, string code, Exception? inner = null) =>
        new(StatusCodes.Status403Forbidden, "permission_error", message, null, code, inner);

    /// <summary>404: there is no such thing.</summary>
    public static ApiException NotFound(string message, string? param = null, string? code = null, Exception? inner = null) =>
        new(StatusCodes.Status404NotFound, InvalidRequest, message, param, code, inner);

    /// <summary>409: someone else changed the conversation.</summary>
    public static ApiException Conflict(string message, Exception inner) =>
        new(StatusCodes.Status409Conflict, InvalidRequest, message, null, "conversation_conflict", inner);

    /// <summary>Any other status that names itself: 405, 413, 415, ….</summary>
    public static ApiException Other(int status, string message, Exception? inner = null, string? code = null) =>
        new(status, status < 500 ? InvalidRequest : ServerError, message, null, code, inner);

    /// <summary>429: as many turns run or wait as the server takes, or as this tenant's share is.</summary>
    public static ApiException Busy(string message, TimeSpan? retryAfter, Exception? inner = null) =>
        new(StatusCodes.Status429TooManyRequests, "rate_limit_error", message, null, "busy", inner) { RetryAfter = retryAfter };

    /// <summary>429: a tenant or a key has used up a limit by time.</summary>
    /// <param name="message">What it was.</param>
    /// <param name="what"><c>requests</c> or <c>tokens</c>.</param>
    /// <param name="retryAfter">When there is something left again.</param>
    public static ApiException RateLimited(string message, string what, TimeSpan retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, what, message, null, "rate_limit_exceeded") { RetryAfter = retryAfter };

    /// <summary>500: what is stored of the conversation cannot be read.</summary>
    public static ApiException Damaged(string message, Exception inner) =>
        new(StatusCodes.Status500InternalServerError, ServerError, message, null, "conversation_damaged", inner);

    /// <summary>500: a fault of the server, whose log has the details.</summary>
    public static ApiException Internal(Exception inner) =>
        new(StatusCodes.Status500InternalServerError, ServerError, "The server had an error while processing the request. Its log has the details.", null, "internal_error", inner);

    /// <summary>503: not now.</summary>
    public static ApiException Unavailable(string message, string code, Exception? inner = null) =>
        new(StatusCodes.Status503ServiceUnavailable, ServerError, message, null, code, inner);

    private const string InvalidRequest = "invalid_request_error";
    private const string ServerError = "server_error";
}
