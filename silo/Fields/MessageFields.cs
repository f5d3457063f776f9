using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of a chat request's messages.</summary>
internal static class MessageFields
{
    private static readonly FieldTable Part = new("a content part",
    [
        Honoured("type", ValueKinds.Text, "\"text\"", "`text`; other types are refused by name.") with { IsRequired = true },
        Honoured("text", ValueKinds.Text, "\"Hello\"", "The part's text.") with { IsRequired = true },
        Ignored("cache_control", "Where a cached prefix ends; every prefix is cached here."),
        Ignored("prompt_cache_breakpoint", "Where a cached prefix ends; every prefix is cached here."),
        Ignored("annotations", "Notes on an answer's sources."),
        Refused("image_url", "images"),
        Refused("input_audio", "audio"),
        Refused("video_url", "video"),
        Refused("audio_url", "audio"),
        Refused("file", "files"),
        Refused("refusal", "a refusal as content"),
    ])
    {
        Example = """{"type":"text","text":"Hello"}""",
    };

    /// <summary>The fields.</summary>
    public static FieldTable Table { get; } = new("a message",
    [
        Honoured("role", ValueKinds.Text, "\"user\"", "`system`, `developer` (the same), `user`, `assistant` or `tool`.") with { IsRequired = true },
        Honoured("content", ValueKinds.Text | ValueKinds.List, "\"Hello\"", "A string, or a list of text parts; an assistant's may be null.") with { Inner = Part, IsRequired = true },
        Honoured("name", ValueKinds.Text, "\"Ann\"", "Who of those with the role speaks. The model sees it where its template writes it."),
        Honoured("reasoning_content", ValueKinds.Text, "\"Hm.\"", "What an assistant thought before it answered. The model sees it where its template writes it.") with { With = "\"role\":\"assistant\"" },
        Refused("reasoning", "reasoning in the history", "\"\""),
        Honoured("tool_calls", ValueKinds.List, ToolFields.CallExample, "The functions that an assistant called.") with { Inner = ToolFields.Call, With = "\"role\":\"assistant\"" },
        Honoured("tool_call_id", ValueKinds.Text, "\"call_1\"", "The call that a message of the role `tool` is the result of, which must have it.") with { With = "\"role\":\"tool\"" },
        Refused("function_call", "calling functions"),
        Refused("audio", "audio"),
        Refused("refusal", "a refusal beside the content", "\"\""),
        Ignored("annotations", "Notes on an answer's sources, as an answer had them."),
        Ignored("cache_control", "Where a cached prefix ends; every prefix is cached here."),
    ])
    {
        Example = """{"role":"user","content":"Hello"}""",
    };
}
