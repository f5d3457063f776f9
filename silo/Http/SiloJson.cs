using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Silo.Http;

/// <summary>Reads request bodies and writes answers in the project's JSON: snake_case, nulls left out.</summary>
internal static class SiloJson
{
    /// <summary>The deepest that a body's objects and lists may stand in one another.</summary>
    public const int MostDepth = 64;

    /// <summary>How requests are read: as <see cref="ConversationJson.Options"/> says, names in the one case that they have.</summary>
    public static JsonSerializerOptions RequestOptions { get; } = CreateRequestOptions();

    /// <summary>A request's body as <typeparamref name="T"/>.</summary>
    /// <param name="json">Valid JSON.</param>
    /// <exception cref="ApiException">400: a value has the wrong type, with its path.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, RequestOptions) ?? throw ApiException.BadRequest("The body must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw Explain(e);
        }
    }

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

    /// <summary>400: the body is no JSON, and where.</summary>
    /// <param name="e">The reader's complaint.</param>
    public static ApiException InvalidJson(JsonException e) => ApiException.BadRequest(
        $"The body is not valid JSON: {Sentence(e.Message)} Line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", null, "invalid_json", e);

    // The reader's complaint without its type names.
    private static ApiException Explain(JsonException e)
    {
        string? param = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;
        int missing = e.Message.IndexOf("missing required properties", StringComparison.Ordinal);
        string message = missing >= 0 ? $"{(param is null ? "The body" : $"'{param}'")} is {e.Message[missing..]}"
            : e.Message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) ? $"{(param is null ? "The body" : $"'{param}'")} has a value of the wrong type."
            : Sentence(e.Message);
        return ApiException.BadRequest(message, param, "invalid_type", e);
    }

    private static JsonSerializerOptions CreateRequestOptions()
    {
        var options = new JsonSerializerOptions(ConversationJson.Options) { PropertyNameCaseInsensitive = false, MaxDepth = MostDepth };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    private static string Sentence(string message)
    {
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0) end = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
