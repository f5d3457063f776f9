using System.Buffers;
using System.Text;
using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Silo.Http;

/// <summary>Writes server-sent events: <c>event: name</c> where it has one, <c>data: {json}</c>, an empty line; and at the end, where the API has it, <c>data: [DONE]</c>.</summary>
/// <remarks>The response starts with the first event, so that what fails before it can still answer with its own status.</remarks>
internal sealed class SseWriter(HttpResponse response, CancellationToken cancellationToken)
{
    private const string MediaType = "text/event-stream";
    private Utf8JsonWriter? _json;

    /// <summary>True when the response is a stream of events.</summary>
    public static bool IsStream(HttpResponse response) => response.ContentType == MediaType;

    /// <summary>Sends one event; it is on the wire when this returns.</summary>
    /// <param name="value">What it says.</param>
    /// <param name="name">Its name, ASCII without line breaks; null = it has none.</param>
    public async ValueTask WriteAsync<T>(T value, string? name = null)
    {
        Start();
        if (name is not null)
        {
            response.BodyWriter.Write("event: "u8);
            Encoding.ASCII.GetBytes(name, response.BodyWriter);
            response.BodyWriter.Write("\n"u8);
        }

        response.BodyWriter.Write("data: "u8);
        _json ??= new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { Encoder = ConversationJson.Options.Encoder, SkipValidation = true });
        if (value is TurnToken { LogProb: null } token)
            Write(_json, token);
        else
            JsonSerializer.Serialize(_json, value, ConversationJson.Options);
        _json.Flush();
        _json.Reset();
        response.BodyWriter.Write("\n\n"u8);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }

    /// <summary>Sends the mark that ends the stream.</summary>
    public async ValueTask DoneAsync()
    {
        Start();
        response.BodyWriter.Write("data: [DONE]\n\n"u8);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }

    // As the serializer writes it, which allocates for each object that is one of several kinds; nearly all events are this one.
    private static void Write(Utf8JsonWriter json, TurnToken token)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "token"u8);
        json.WriteNumber("token_id"u8, token.TokenId);
        json.WriteString("text"u8, token.Text);
        json.WriteEndObject();
    }

    private void Start()
    {
        if (response.HasStarted || response.ContentType is not null) return;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
    }
}
