using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace KvTiers.Client.Chat;

/// <summary>Writes functions, and which of them an answer may call, into the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatFunctions
{
    /// <exception cref="NotSupportedException">A tool is no function with a schema.</exception>
    public static void Write(JsonObject body, ChatOptions options)
    {
        if (options.Tools is not { Count: > 0 } tools)
            return;
        body["tools"] = new JsonArray([.. tools.Select(Function)]);
        if (options.ToolMode is { } mode)
            body["tool_choice"] = Choice(mode);
        if (options.AllowMultipleToolCalls is { } several)
            body["parallel_tool_calls"] = several;
    }

    private static JsonNode Function(AITool tool)
    {
        if (tool is not AIFunctionDeclaration function)
            throw new NotSupportedException($"One of the tools is a {tool.GetType().Name}; the server calls functions only.");
        var written = new JsonObject { ["name"] = function.Name };
        if (function.Description.Length > 0)
            written["description"] = function.Description;
        JsonObject parameters = JsonNode.Parse(function.JsonSchema.GetRawText()) as JsonObject
            ?? throw new NotSupportedException($"The schema of the function '{function.Name}' is no object.");
        // A function takes what it names. Open, a schema lets a model write names of its own without end; OpenAI's client closes it too.
        parameters.TryAdd("additionalProperties", false);
        written["parameters"] = parameters;
        if (function.AdditionalProperties.TryGetValue("strict", out object? strict) && strict is bool isStrict)
            written["strict"] = isStrict;
        return new JsonObject { ["type"] = "function", ["function"] = written };
    }

    private static JsonNode Choice(ChatToolMode mode) => mode switch
    {
        NoneChatToolMode => "none",
        RequiredChatToolMode { RequiredFunctionName: { } name } => new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = name } },
        RequiredChatToolMode => "required",
        _ => "auto",
    };
}
