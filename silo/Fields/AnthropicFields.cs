using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of Anthropic's <c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
internal static class AnthropicFields
{
    private static readonly FieldTable CacheControl = new("'cache_control'",
    [
        Honoured("type", ValueKinds.Text, "\"ephemeral\"", "`ephemeral`.") with { IsRequired = true },
        Honoured("ttl", ValueKinds.Text, "\"1h\"", "`5m` or `1h`: how long the prefix is kept after each use."),
    ])
    {
        Example = """{"type":"ephemeral"}""",
    };

    private static readonly Field Breakpoint = Honoured("cache_control", ValueKinds.Object, "{\"type\":\"ephemeral\"}", "A breakpoint: what stands before its end is kept; at most 4.") with { Inner = CacheControl };

    private static readonly FieldTable Block = new("a content block",
    [
        Honoured("type", ValueKinds.Text, "\"text\"", "`text`; in an assistant's message also `thinking` and `redacted_thinking`, which are left out. Other types are refused by name.") with { IsRequired = true },
        Honoured("text", ValueKinds.Text, "\"Hello\"", "The block's text.") with { IsRequired = true },
        Breakpoint,
        Ignored("citations", "Notes on an answer's sources, as an answer had them."),
        Ignored("thinking", "The text of a `thinking` block, which is left out."),
        Ignored("signature", "Of a `thinking` block, which is left out."),
        Ignored("data", "Of a `redacted_thinking` block, which is left out."),
        Refused("source", "images and documents"),
        Refused("id", "calling tools"),
        Refused("name", "calling tools"),
        Refused("input", "calling tools"),
        Refused("tool_use_id", "calling tools"),
        Refused("content", "calling tools"),
        Refused("is_error", "calling tools", "false"),
    ])
    {
        Example = """{"type":"text","text":"Hello"}""",
    };

    private static readonly FieldTable Message = new("a message",
    [
        Honoured("role", ValueKinds.Text, "\"user\"", "`user`, `assistant` or `system`.") with { IsRequired = true },
        Honoured("content", ValueKinds.Text | ValueKinds.List, "\"Hello\"", "A string, or a list of blocks.") with { Inner = Block, IsRequired = true },
    ])
    {
        Example = """{"role":"user","content":"Hello"}""",
    };

    private static readonly IReadOnlyList<Field> PromptFields =
    [
        Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404."),
        Honoured("messages", ValueKinds.List, "[{\"role\":\"user\",\"content\":\"Hello\"}]", "The whole history, at least one message.") with { Inner = Message, IsRequired = true },
        Honoured("system", ValueKinds.Text | ValueKinds.List, "\"Be kind.\"", "What comes before all messages: a string, or a list of text blocks.") with { Inner = Block },
        Breakpoint,
        Refused("tools", "calling tools", "[]"),
        Refused("tool_choice", "calling tools", "{\"type\":\"none\"}"),
        Refused("thinking", "thinking before the answer", "{\"type\":\"disabled\"}"),
        Refused("output_config", "a format other than text"),
        Refused("output_format", "a format other than text"),
        Refused("mcp_servers", "calling servers of tools", "[]"),
        Refused("context_management", "editing the context"),
    ];

    /// <summary>Of <c>/v1/messages</c>.</summary>
    public static FieldTable Table { get; } = new("this request",
    [
        .. PromptFields,
        Honoured("max_tokens", ValueKinds.Integer, "2", "Most tokens to generate; 0 computes the prompt alone.") with { IsRequired = true },
        Honoured("stop_sequences", ValueKinds.List, "[\"\\n\\nHuman:\"]", "At most 64 strings that end the answer, none of them blank."),
        Honoured("temperature", ValueKinds.Number, "0.7", "0 to 1; 0 takes the likeliest token always."),
        Honoured("top_p", ValueKinds.Number, "0.9", "0 to 1: the share of probability that is drawn from."),
        Honoured("top_k", ValueKinds.Integer, "5", "How many of the likeliest tokens are drawn from; 0 = all."),
        Honoured("stream", ValueKinds.Boolean, "true", "Whether the answer comes piece by piece, as server-sent events."),
        Ignored("metadata", "Who asks, to the vendor."),
        Ignored("service_tier", "How fast, at what price."),
        Refused("container", "running code"),
        Refused("inference_geo", "choosing where it is computed"),
        Refused("speed", "choosing a speed", "\"standard\""),
        Refused("diagnostics", "diagnostics"),
    ])
    {
        Example = """{"messages":[{"role":"user","content":"Hello"}],"max_tokens":2}""",
    };

    /// <summary>Of <c>/v1/messages/count_tokens</c>.</summary>
    public static FieldTable CountTable { get; } = new("this request", PromptFields)
    {
        Example = """{"messages":[{"role":"user","content":"Hello"}]}""",
    };
}
