using System.Globalization;
using KvTiers.Silo.Limits;

namespace KvTiers.Silo.Http;

/// <summary>Holds tenants and keys to their requests a second before a body is read, and tells how their limits stand in the headers of the answer's API.</summary>
internal sealed class RateMiddleware(RequestDelegate next, TenantRates rates, Refusals refusals, TimeProvider time)
{
    /// <summary>The headers in which limits are told.</summary>
    public static IReadOnlyList<string> Headers { get; } =
    [
        "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
        "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset",
    ];

    /// <summary>Runs the request when its caller may send it now.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<Caller>() is not { } caller)
        {
            await next(context);
            return;
        }

        context.Response.OnStarting(() =>
        {
            Tell(context, caller);
            return Task.CompletedTask;
        });
        if (await rates.TakeRequestAsync(caller.Tenant, caller.Key, context.RequestAborted) is { } retryAfter)
        {
            refusals.Count(RefusalReason.Requests);
            throw ApiException.RateLimited($"This tenant, or this key, sends more requests a second than it may. Try again in {retryAfter.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s.", "requests", retryAfter);
        }

        await next(context);
    }

    private void Tell(HttpContext context, Caller caller)
    {
        bool isAnthropic = context.Request.Path.StartsWithSegments("/v1/messages");
        if (rates.RequestsOf(caller.Tenant, caller.Key) is { } requests) Tell(context.Response.Headers, "requests", requests, isAnthropic);
        if (rates.TokensOf(caller.Tenant) is { } tokens) Tell(context.Response.Headers, "tokens", tokens, isAnthropic);
    }

    private void Tell(IHeaderDictionary headers, string what, RateState state, bool isAnthropic)
    {
        string limit = Math.Floor(state.Limit).ToString(CultureInfo.InvariantCulture);
        string remaining = state.Remaining.ToString(CultureInfo.InvariantCulture);
        if (isAnthropic)
        {
            headers[$"anthropic-ratelimit-{what}-limit"] = limit;
            headers[$"anthropic-ratelimit-{what}-remaining"] = remaining;
            headers[$"anthropic-ratelimit-{what}-reset"] = (time.GetUtcNow() + state.FullIn).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return;
        }

        headers[$"x-ratelimit-limit-{what}"] = limit;
        headers[$"x-ratelimit-remaining-{what}"] = remaining;
        headers[$"x-ratelimit-reset-{what}"] = Duration(state.FullIn);
    }

    /// <summary>A time as OpenAI writes it: <c>20ms</c>, <c>1.5s</c>, <c>6m0s</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1)) return string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMilliseconds)}ms");
        string seconds = (Math.Ceiling(time.TotalSeconds % 60 * 1000) / 1000).ToString("0.###", CultureInfo.InvariantCulture);
        return time < TimeSpan.FromMinutes(1) ? $"{seconds}s" : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMinutes}m{seconds}s");
    }
}
