using System.Text.Json;
using KvTiers.Conversations;
using Microsoft.AspNetCore.Http.Features;

namespace KvTiers.Silo.Http;

/// <summary>Reads request bodies and writes answers in the project's JSON: snake_case, nulls left out.</summary>
internal static class SiloJson
{
    /// <summary>The request's body as <typeparamref name="T"/>.</summary>
    /// <exception cref="ApiException">400: the body is no JSON, or a value has the wrong type, with its path.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpRequest request, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, ConversationJson.Options, cancellationToken)
                ?? throw ApiException.BadRequest("The body must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw Explain(e);
        }
    }

    /// <summary>As <see cref="ReadAsync{T}"/>, but an empty body is a default <typeparamref name="T"/>.</summary>
    public static ValueTask<T> ReadOrDefaultAsync<T>(HttpRequest request, CancellationToken cancellationToken)
        where T : class, new() =>
        request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
            ? ReadAsync<T>(request, cancellationToken)
            : ValueTask.FromResult(new T());

    /// <summary>The text of a JSON string.</summary>
    /// <exception cref="ApiException">400: it holds half of a surrogate pair.</exception>
    public static string Text(JsonElement element, string param)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw ApiException.BadRequest($"'{param}' holds half of a surrogate pair.", param, null, e);
        }
    }

    /// <summary>Answers with a value as JSON.</summary>
    public static Task WriteAsync<T>(HttpResponse response, int status, T value, CancellationToken cancellationToken)
    {
        response.StatusCode = status;
        return response.WriteAsJsonAsync(value, ConversationJson.Options, cancellationToken);
    }

    /// <summary>The reader's complaint without its type names.</summary>
    private static ApiException Explain(JsonException e)
    {
        // The reader wraps a syntax error in another JsonException; a type error comes alone, or with another cause.
        if (e.InnerException is JsonException syntax)
        {
            return ApiException.BadRequest(
                $"The body is not valid JSON: {Sentence(syntax.Message)} Line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", null, "invalid_json", e);
        }

        string? param = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;
        int missing = e.Message.IndexOf("missing required properties", StringComparison.Ordinal);
        string message = missing >= 0 ? $"{(param is null ? "The body" : $"'{param}'")} is {e.Message[missing..]}"
            : e.Message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) ? $"{(param is null ? "The body" : $"'{param}'")} has a value of the wrong type."
            : Sentence(e.Message);
        return ApiException.BadRequest(message, param, "invalid_type", e);
    }

    private static string Sentence(string message)
    {
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0) end = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
