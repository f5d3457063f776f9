using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks what a chat request says of functions. Every fault is a 400 that names the parameter.</summary>
internal static class ToolRules
{
    /// <summary>What the answer may call; null = nothing.</summary>
    /// <param name="tools">The request's tools.</param>
    /// <param name="choice">Its <c>tool_choice</c>.</param>
    /// <param name="parallel">Its <c>parallel_tool_calls</c>.</param>
    /// <exception cref="ApiException">Something is missing, not allowed, or not supported.</exception>
    public static ToolUse? Check(IReadOnlyList<ToolParameter>? tools, JsonElement? choice, bool? parallel)
    {
        if (tools is not { Count: > 0 })
        {
            return choice is null or { ValueKind: JsonValueKind.Null } || Is(choice.Value, "none") || Is(choice.Value, "auto")
                ? null
                : throw ApiException.BadRequest("'tool_choice' asks for a call, and 'tools' is empty; it must be none or auto then.", "tool_choice");
        }

        ToolUse use = Choose(new ToolUse { Definitions = [.. tools.Select(Definition)], ParallelCalls = parallel ?? true }, choice);
        return ToolAnswer.WithIds(ToolUseRules.Valid(use, "function.name", "function.parameters"));
    }

    /// <summary>The calls of an assistant's message; null = none.</summary>
    /// <exception cref="ApiException">One lacks its id, its name or its arguments.</exception>
    public static IReadOnlyList<ToolCall>? Calls(IReadOnlyList<ToolCallParameter>? calls, string at)
    {
        if (calls is not { Count: > 0 }) return null;
        return [.. calls.Select((call, i) => Call(call, $"{at}[{i}]"))];
    }

    private static ToolCall Call(ToolCallParameter? call, string at)
    {
        CheckType(call?.Type ?? "function", at);
        string id = call?.Id ?? throw Missing($"{at}.id");
        FunctionParameter function = call.Function ?? throw Missing($"{at}.function");
        string name = function.Name ?? throw Missing($"{at}.function.name");
        return new ToolCall(id, name, function.Arguments switch
        {
            { ValueKind: JsonValueKind.String } text => SiloJson.Text(text, $"{at}.function.arguments"),
            // As some clients send them.
            { ValueKind: JsonValueKind.Object } parsed => parsed.GetRawText(),
            null or { ValueKind: JsonValueKind.Null } => "{}",
            _ => throw ApiException.BadRequest($"'{at}.function.arguments' must be the text of a JSON object.", $"{at}.function.arguments"),
        });
    }

    private static ToolDefinition Definition(ToolParameter? tool, int index)
    {
        string at = $"tools[{index}]";
        CheckType(tool?.Type ?? throw Missing($"{at}.type"), at);
        FunctionParameter function = tool.Function ?? throw Missing($"{at}.function");
        return new ToolDefinition
        {
            Name = function.Name ?? throw Missing($"{at}.function.name"),
            Description = function.Description,
            Parameters = function.Parameters is null or { ValueKind: JsonValueKind.Null } ? null : function.Parameters.Value.GetRawText(),
            Strict = function.Strict ?? false,
        };
    }

    private static ToolUse Choose(ToolUse use, JsonElement? choice)
    {
        if (choice is null or { ValueKind: JsonValueKind.Null }) return use;
        JsonElement value = choice.Value;
        if (value.ValueKind == JsonValueKind.String) return use with { Choice = Mode(SiloJson.Text(value, "tool_choice"), "tool_choice", mayBeNone: true) };
        string type = Text(value, "type", "tool_choice");
        if (type == "function") return use with { Choice = ToolChoice.Required, Allowed = [FunctionName(value, "tool_choice")], ParallelCalls = false };
        if (type != "allowed_tools") throw ApiException.Unsupported("tool_choice.type", $"a choice of type '{type}'");
        JsonElement allowed = Member(value, "allowed_tools", "tool_choice", JsonValueKind.Object);
        return use with
        {
            Choice = Mode(Text(allowed, "mode", "tool_choice.allowed_tools"), "tool_choice.allowed_tools.mode", mayBeNone: false),
            Allowed = [.. Member(allowed, "tools", "tool_choice.allowed_tools", JsonValueKind.Array).EnumerateArray().Select((tool, i) => FunctionName(tool, $"tool_choice.allowed_tools.tools[{i}]"))],
        };
    }

    private static ToolChoice Mode(string mode, string param, bool mayBeNone) => mode switch
    {
        "auto" => ToolChoice.Auto,
        "required" => ToolChoice.Required,
        "none" when mayBeNone => ToolChoice.None,
        _ => throw ApiException.BadRequest($"'{param}' is '{mode}'; it must be {(mayBeNone ? "none, " : "")}auto or required{(mayBeNone ? ", or an object" : "")}.", param),
    };

    private static string FunctionName(JsonElement value, string at) => Text(Member(value, "function", at, JsonValueKind.Object), "name", $"{at}.function");

    private static string Text(JsonElement value, string name, string at) => SiloJson.Text(Member(value, name, at, JsonValueKind.String), $"{at}.{name}");

    private static JsonElement Member(JsonElement value, string name, string at, JsonValueKind kind) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out JsonElement member) && member.ValueKind == kind ? member : throw Missing($"{at}.{name}");

    private static bool Is(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static void CheckType(string type, string at)
    {
        if (type != "function") throw ApiException.Unsupported($"{at}.type", $"a tool of type '{type}'");
    }

    private static ApiException Missing(string param) => ApiException.BadRequest($"'{param}' is missing.", param, ApiException.MissingParameter);
}
