using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Anthropic;

/// <summary>Checks the tools of a request. Every fault is a 400 that names the parameter.</summary>
internal static class ToolRules
{
    /// <summary>The tools, checked; null = there are none.</summary>
    /// <exception cref="ApiException">One is no function, or the choice is none of them.</exception>
    public static ToolUse? Check(IReadOnlyList<ToolParameter>? tools, ToolChoiceParameter? choice)
    {
        if (choice is { Type: null }) throw ApiException.BadRequest("'tool_choice.type' is missing.", "tool_choice.type", ApiException.MissingParameter);
        if (tools is not { Count: > 0 })
            return choice?.Type is null or "auto" or "none" ? null : throw ApiException.BadRequest("'tool_choice' asks for a call, and there are no 'tools'.", "tool_choice");
        (ToolChoice how, string? name) = choice?.Type switch
        {
            null or "auto" => (ToolChoice.Auto, null),
            "none" => (ToolChoice.None, null),
            "any" => (ToolChoice.Required, null),
            "tool" => (ToolChoice.Required, choice.Name ?? throw ApiException.BadRequest("'tool_choice.name' is missing.", "tool_choice.name", ApiException.MissingParameter)),
            _ => throw ApiException.BadRequest($"'tool_choice.type' is '{choice!.Type}'; it must be auto, any, tool or none.", "tool_choice.type"),
        };
        var use = new ToolUse
        {
            Definitions = [.. tools.Select(Definition)],
            Choice = how,
            Allowed = name is null ? null : [name],
            ParallelCalls = choice?.DisableParallelToolUse != true,
        };
        return ToolUseRules.Valid(use, "name", "input_schema");
    }

    private static ToolDefinition Definition(ToolParameter? tool, int index)
    {
        string at = $"tools[{index}]";
        if (tool is null) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (tool.Type is not (null or "custom")) throw ApiException.Unsupported(at, $"the tool '{tool.Type}', which runs in its vendor's servers,");
        if (tool.InputSchema is not { ValueKind: JsonValueKind.Object } schema) throw ApiException.BadRequest($"'{at}.input_schema' must be an object.", $"{at}.input_schema");
        return new ToolDefinition
        {
            Name = tool.Name ?? throw ApiException.BadRequest($"'{at}.name' is missing.", $"{at}.name", ApiException.MissingParameter),
            Description = tool.Description,
            Parameters = schema.GetRawText(),
            Strict = tool.Strict ?? false,
        };
    }
}
