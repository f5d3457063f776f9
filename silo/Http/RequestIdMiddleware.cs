namespace KvTiers.Silo.Http;

/// <summary>Gives every request an id, the caller's in <c>x-request-id</c> or a new one, and every answer the same header. The request's log messages have it.</summary>
internal sealed class RequestIdMiddleware(RequestDelegate next)
{
    /// <summary>The header.</summary>
    public const string Header = "x-request-id";

    private const int MostCharacters = 128;

    /// <summary>Runs the request under its id.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        string given = context.Request.Headers[Header].ToString();
        bool isGood = given.Length <= MostCharacters && given.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
        context.TraceIdentifier = isGood && given.Length > 0 ? given : $"req_{Guid.NewGuid():N}";
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Header] = context.TraceIdentifier;
            return Task.CompletedTask;
        });
        context.Features.Set(new RequestId(isGood));
        return next(context);
    }

    /// <summary>Throws when the caller's own id cannot be used.</summary>
    /// <exception cref="ApiException">400: it is too long, or has other characters.</exception>
    public static void Check(HttpContext context)
    {
        if (context.Features.Get<RequestId>() is { IsGood: false })
            throw ApiException.BadRequest($"'{Header}' must be at most {MostCharacters} of the characters A-Z a-z 0-9 - _ . :", Header);
    }

    private sealed record RequestId(bool IsGood);
}
