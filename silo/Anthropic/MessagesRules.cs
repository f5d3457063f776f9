using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Checks a request of <c>/v1/messages</c>. Every fault is a 400 that names the parameter.</summary>
internal static class MessagesRules
{
    /// <summary>The request, checked.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static MessagesCall Check(MessagesRequest request, SamplingOptions defaults)
    {
        if (request.MaxTokens is not { } most) throw ApiException.BadRequest("'max_tokens' is missing.", "max_tokens", ApiException.MissingParameter);
        if (most < 0) throw ApiException.BadRequest($"'max_tokens' is {most}; it must be 0 or more.", "max_tokens");
        IReadOnlyList<string> stop = request.StopSequences ?? [];
        if (stop.Count > MostStops || stop.Any(string.IsNullOrWhiteSpace))
            throw ApiException.BadRequest($"'stop_sequences' must hold at most {MostStops} strings, none of them blank.", "stop_sequences");
        if (request.Temperature is < 0 or > 1)
            throw ApiException.BadRequest(FormattableString.Invariant($"'temperature' is {request.Temperature}; it must be from 0 to 1."), "temperature");

        (AnswerFormat? format, string formatParam) = Format(request);
        SamplingOptions sampling = defaults with
        {
            Temperature = request.Temperature ?? defaults.Temperature,
            TopP = request.TopP ?? defaults.TopP,
            TopK = request.TopK ?? defaults.TopK,
        };
        sampling.Validate();
        return new MessagesCall
        {
            Prompt = Prompt(request),
            Sampling = sampling,
            MaxTokens = most,
            Stop = stop,
            Format = format,
            FormatParam = formatParam,
            Stream = request.Stream ?? false,
        };
    }

    /// <summary>The prompt of a request, checked.</summary>
    /// <exception cref="ApiException">There is no message, or something in it is not supported.</exception>
    public static Prompt Prompt(PromptParameters request)
    {
        if (request.Messages is not { Count: > 0 } messages)
            throw ApiException.BadRequest("'messages' must hold at least one message.", "messages");
        Format(request);
        ToolUse? tools = ToolRules.Check(request.Tools, request.ToolChoice);
        var builder = new PromptBuilder();
        for (int i = 0; i < request.Tools?.Count; i++) builder.Mark(request.Tools[i].CacheControl, $"tools[{i}].cache_control");
        if (request.System is { } system) builder.Add("system", system, "system");
        for (int i = 0; i < messages.Count; i++)
        {
            string at = $"messages[{i}]";
            if (messages[i] is not { } message) throw ApiException.BadRequest($"'{at}' must be an object.", at);
            if (message.Role is not ("user" or "assistant" or "system"))
                throw ApiException.BadRequest($"'{at}.role' must be user, assistant or system.", $"{at}.role");
            builder.Add(message.Role, message.Content, $"{at}.content");
        }

        builder.Mark(request.CacheControl, "cache_control");
        return builder.Build(tools);
    }

    private static (AnswerFormat? Format, string Param) Format(PromptParameters request)
    {
        string at = request.OutputConfig?.Format is null ? "output_format" : "output_config.format";
        if ((request.OutputConfig?.Format ?? request.OutputFormat) is not { } format) return (null, at);
        if (format.Type != "json_schema") throw ApiException.BadRequest($"'{at}.type' must be json_schema.", $"{at}.type");
        return format.Schema is { ValueKind: JsonValueKind.Object } schema
            ? (AnswerFormat.JsonSchema(schema.GetRawText()), $"{at}.schema")
            : throw ApiException.BadRequest($"'{at}.schema' must be an object.", $"{at}.schema");
    }

    private const int MostStops = 64;
}
