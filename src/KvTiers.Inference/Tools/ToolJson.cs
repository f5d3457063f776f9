using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Inference.Tools;

/// <summary>Functions and calls as JSON text.</summary>
internal static class ToolJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A function as OpenAI's lists have it. Whether it is strict is not the model's affair.</summary>
    public static string Of(ToolDefinition tool) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("type", "function");
        writer.WriteStartObject("function");
        writer.WriteString("name", tool.Name);
        if (tool.Description is not null)
            writer.WriteString("description", tool.Description);
        writer.WritePropertyName("parameters");
        TryWrite(writer, tool.Parameters ?? "{\"type\":\"object\",\"properties\":{}}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>A call as <see cref="ToolFormat.Json"/> has it, and as <see cref="ToolGrammar"/> makes a model write it: then the text is the model's own.</summary>
    public static string Of(ToolCall call) => $"{{\"name\": \"{JsonEncodedText.Encode(call.Name, Plain.Encoder)}\", \"arguments\": {OneLine(call.Arguments)}}}";

    private static string OneLine(string arguments)
    {
        string written = Write(writer =>
        {
            if (!TryWrite(writer, arguments))
                writer.WriteStringValue(arguments);
        });
        bool isJson = written.Length == 0 || written[0] != '"';
        return isJson && !arguments.Contains('\n') ? arguments : written;
    }

    // On one line, whatever white space is in it.
    private static bool TryWrite(Utf8JsonWriter writer, string json)
    {
        try
        {
            using JsonDocument document = WholeJson.Parse(json);
            document.RootElement.WriteTo(writer);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Plain))
            write(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
