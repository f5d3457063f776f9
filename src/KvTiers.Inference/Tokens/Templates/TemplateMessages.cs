using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Messages and functions as a template's values. All that callers wrote is content, the names of members too.</summary>
internal static class TemplateMessages
{
    /// <summary>The messages, each under its index.</summary>
    public static List<object?> Of(IReadOnlyList<ChatMessage> messages, ToolFormat format)
    {
        var maps = new List<object?>(messages.Count);
        for (int i = 0; i < messages.Count; i++)
        {
            if (format == ToolFormat.Json)
                maps.Add(Map(PlainTools.Rewrite(messages, i), i, format));
            else if (format == ToolFormat.Llama3 && messages[i].ToolCalls is { Count: > 1 } calls)
                maps.AddRange(OneByOne(messages[i], calls, i));
            else
                maps.Add(Map(messages[i], i, format));
        }

        return maps;
    }

    /// <summary>The messages, and before them what the functions are.</summary>
    /// <param name="messages">The chat.</param>
    /// <param name="tools">The functions.</param>
    /// <param name="inSystem">True: in a system message. False: in the first message, whoever says it.</param>
    public static List<object?> WithInstructions(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools, bool inSystem)
    {
        List<object?> maps = Of(messages, ToolFormat.Json);
        string instructions = PlainTools.Instructions(tools);
        ChatMessage first = PlainTools.Rewrite(messages, 0);
        if (inSystem && first.Role != "system")
            maps.Insert(0, Map(new("system", instructions), 0, ToolFormat.Json));
        else
            maps[0] = Map(first with { Content = $"{instructions}\n\n{first.Content}" }, 0, ToolFormat.Json);
        return maps;
    }

    /// <summary>The functions as OpenAI's lists have them.</summary>
    public static List<object?> Of(IReadOnlyList<ToolDefinition> tools) => [.. tools.Select(tool => Parse(ToolJson.Of(tool)))];

    // Llama's templates take one call a message, and its models make several.
    private static IEnumerable<object?> OneByOne(ChatMessage message, IReadOnlyList<ToolCall> calls, int index) =>
        calls.Select(call => (object?)Map(message with { ToolCalls = [call] }, index, ToolFormat.Llama3));

    private static TemplateMap Map(ChatMessage message, int index, ToolFormat format)
    {
        var map = new TemplateMap { MessageIndex = index };
        map.Entries["role"] = TemplateText.Plain(message.Role);
        map.Entries["content"] = Content(message.Content);
        if (message.Name is not null)
            map.Entries["name"] = Content(message.Name);
        if (message.ReasoningContent is not null)
            map.Entries["reasoning_content"] = Content(message.ReasoningContent);
        if (message.ToolCallId is not null)
            map.Entries["tool_call_id"] = Content(ToolIds.ForTemplate(format, message.ToolCallId));
        if (message.ToolCalls is { Count: > 0 } calls)
            map.Entries["tool_calls"] = calls.Select(call => (object?)Map(call, format)).ToList();
        return map;
    }

    private static TemplateMap Map(ToolCall call, ToolFormat format)
    {
        var function = new TemplateMap();
        function.Entries["name"] = Content(call.Name);
        function.Entries["arguments"] = Arguments(call.Arguments);
        var map = new TemplateMap();
        map.Entries["id"] = Content(ToolIds.ForTemplate(format, call.Id));
        map.Entries["type"] = TemplateText.Plain("function");
        map.Entries["function"] = function;
        return map;
    }

    // Templates read members of the arguments, or write them as JSON themselves. What is no JSON stays the text that it is.
    private static object? Arguments(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (JsonException)
        {
            return Content(text);
        }
    }

    private static object? Parse(string json)
    {
        using JsonDocument document = WholeJson.Parse(json);
        return TemplateVariables.Of(document.RootElement);
    }

    private static TemplateText Content(string text) => TemplateText.Of(text, content: true);
}
