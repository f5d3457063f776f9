using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Responses;

/// <summary>Checks the functions of a request. Every fault is a 400 that names the parameter.</summary>
internal static class FunctionRules
{
    /// <summary>The functions, checked; null = there are none.</summary>
    /// <exception cref="ApiException">A tool is no function, or the choice is none of them.</exception>
    public static ToolUse? Check(ResponsesRequest request)
    {
        (ToolChoice how, IReadOnlyList<string>? allowed, bool isNamed) = Choice(request.ToolChoice);
        if (request.Tools is not { Count: > 0 } tools)
            return how == ToolChoice.Required ? throw ApiException.BadRequest("'tool_choice' asks for a call, and there are no 'tools'.", "tool_choice") : null;
        var use = new ToolUse { Definitions = [.. tools.Select(Definition)], Choice = how, Allowed = allowed, ParallelCalls = !isNamed && (request.ParallelToolCalls ?? true) };
        return ToolUseRules.Valid(use, "name", "parameters");
    }

    // A choice that names a function is exactly one call of it.
    private static (ToolChoice Choice, IReadOnlyList<string>? Allowed, bool IsNamed) Choice(JsonElement? choice)
    {
        switch (choice)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return (ToolChoice.Auto, null, false);
            case { ValueKind: JsonValueKind.String } word:
                return (Mode(word.GetString(), "tool_choice"), null, false);
            case { ValueKind: JsonValueKind.Object } named when Text(named, "type") == "function":
                return (ToolChoice.Required, [Text(named, "name") ?? throw ApiException.BadRequest("'tool_choice.name' is missing.", "tool_choice.name", ApiException.MissingParameter)], true);
            case { ValueKind: JsonValueKind.Object } several when Text(several, "type") == "allowed_tools":
                if (!several.TryGetProperty("tools", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
                    throw ApiException.BadRequest("'tool_choice.tools' must be a list.", "tool_choice.tools");
                return (Mode(Text(several, "mode"), "tool_choice.mode"), [.. list.EnumerateArray().Select((tool, i) =>
                    (tool.ValueKind == JsonValueKind.Object && Text(tool, "type") is null or "function" ? Text(tool, "name") : null)
                    ?? throw ApiException.BadRequest($"'tool_choice.tools[{i}]' must name a function.", $"tool_choice.tools[{i}]"))], false);
            default:
                throw ApiException.BadRequest("'tool_choice' must be none, auto, required, or an object of the type function or allowed_tools.", "tool_choice");
        }
    }

    private static ToolChoice Mode(string? word, string param) => word switch
    {
        "auto" => ToolChoice.Auto,
        "none" => ToolChoice.None,
        "required" => ToolChoice.Required,
        _ => throw ApiException.BadRequest($"'{param}' is '{word}'; it must be none, auto or required.", param),
    };

    private static ToolDefinition Definition(FunctionParameter? tool, int index)
    {
        string at = $"tools[{index}]";
        if (tool is null) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (tool.Type is null) throw ApiException.BadRequest($"'{at}.type' is missing.", $"{at}.type", ApiException.MissingParameter);
        if (tool.Type != "function") throw ApiException.Unsupported(at, $"a tool of the type '{tool.Type}'");
        return new ToolDefinition
        {
            Name = tool.Name ?? throw ApiException.BadRequest($"'{at}.name' is missing.", $"{at}.name", ApiException.MissingParameter),
            Description = tool.Description,
            Parameters = tool.Parameters switch
            {
                null or { ValueKind: JsonValueKind.Null } => null,
                { ValueKind: JsonValueKind.Object } schema => schema.GetRawText(),
                _ => throw ApiException.BadRequest($"'{at}.parameters' must be an object.", $"{at}.parameters"),
            },
            Strict = tool.Strict ?? false,
        };
    }

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
