using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of Anthropic's <c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
internal static class AnthropicFields
{
    private const string ToolExample = """[{"name":"now","input_schema":{"type":"object"}}]""";

    private static readonly FieldTable CacheControl = new("'cache_control'",
    [
        Honoured("type", ValueKinds.Text, "\"ephemeral\"", "`ephemeral`.") with { IsRequired = true },
        Honoured("ttl", ValueKinds.Text, "\"1h\"", "`5m` or `1h`: how long the prefix is kept after each use."),
    ])
    {
        Example = """{"type":"ephemeral"}""",
    };

    private static readonly Field Breakpoint = Honoured("cache_control", ValueKinds.Object, "{\"type\":\"ephemeral\"}", "A breakpoint: what stands before its end is kept; at most 4.") with { Inner = CacheControl };

    private static readonly FieldTable SystemBlock = new("a block of 'system'",
    [
        Honoured("type", ValueKinds.Text, "\"text\"", "`text`.") with { IsRequired = true },
        Honoured("text", ValueKinds.Text, "\"Hello\"", "The block's text.") with { IsRequired = true },
        Breakpoint,
        Ignored("citations", "Notes on an answer's sources, as an answer had them."),
    ])
    {
        Example = """{"type":"text","text":"Hello"}""",
    };

    private static readonly FieldTable Tool = new("a tool",
    [
        Honoured("name", ValueKinds.Text, "\"now\"", "1 to 128 letters, digits, `_`, `-`, `.`, `:` and `/`; no two tools have the same.") with { IsRequired = true },
        Honoured("input_schema", ValueKinds.Object, "{\"type\":\"object\"}", "JSON Schema of its arguments.") with { IsRequired = true },
        Honoured("type", ValueKinds.Text, "\"custom\"", "`custom`; tools that run in the vendor's servers are refused by name."),
        Honoured("description", ValueKinds.Text, "\"Tells the time.\"", "What it does, for the model."),
        Honoured("strict", ValueKinds.Boolean, "true", "Whether the arguments must match the schema."),
        Breakpoint,
        Ignored("eager_input_streaming", "How soon arguments come in a stream: they come at once."),
        Ignored("input_examples", "Examples of arguments."),
        Refused("defer_loading", "tools that are looked for later", "false"),
        Refused("allowed_callers", "calls by code that runs in the vendor's servers", "[\"direct\"]"),
    ])
    {
        Example = """{"name":"now","input_schema":{"type":"object"}}""",
    };

    private static readonly FieldTable Format = new("a format",
    [
        Honoured("type", ValueKinds.Text, "\"json_schema\"", "`json_schema`.") with { IsRequired = true },
        Honoured("schema", ValueKinds.Object, "{\"type\":\"object\"}", "The JSON Schema that the answer matches ([structured-output.md](structured-output.md)).") with { IsRequired = true },
    ])
    {
        Example = """{"type":"json_schema","schema":{"type":"object"}}""",
    };

    private static readonly FieldTable OutputConfig = new("'output_config'",
    [
        Honoured("format", ValueKinds.Object, Format.Example, "The answer's format; absent = text.") with { Inner = Format },
        Refused("effort", "reasoning effort"),
    ]);

    private static readonly FieldTable Choice = new("'tool_choice'",
    [
        Honoured("type", ValueKinds.Text, "\"auto\"", "`auto`, `any`, `tool` or `none`.") with { IsRequired = true },
        Honoured("name", ValueKinds.Text, "\"now\"", "With `tool`: which.") with { With = "\"type\":\"tool\"" },
        Honoured("disable_parallel_tool_use", ValueKinds.Boolean, "true", "Whether the answer makes one call at most."),
    ])
    {
        Example = """{"type":"auto"}""",
    };

    private static readonly FieldTable Message = new("a message",
    [
        Honoured("role", ValueKinds.Text, "\"user\"", "`user`, `assistant` or `system`.") with { IsRequired = true },
        Honoured("content", ValueKinds.Text | ValueKinds.List, "\"Hello\"", "A string, or a list of blocks: `text`, `tool_use` and, left out, `thinking` and `redacted_thinking` of the assistant; `text` and `tool_result` of the user ([anthropic.md](anthropic.md)). Other types are refused by name, and fields that a type does not have.") with { IsRequired = true },
    ])
    {
        Example = """{"role":"user","content":"Hello"}""",
    };

    private static readonly IReadOnlyList<Field> PromptFields =
    [
        Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404."),
        Honoured("messages", ValueKinds.List, "[{\"role\":\"user\",\"content\":\"Hello\"}]", "The whole history, at least one message.") with { Inner = Message, IsRequired = true },
        Honoured("system", ValueKinds.Text | ValueKinds.List, "\"Be kind.\"", "What comes before all messages: a string, or a list of text blocks.") with { Inner = SystemBlock },
        Breakpoint,
        Honoured("tools", ValueKinds.List, ToolExample, "1 to 256 functions that the answer may call.") with { Inner = Tool },
        Honoured("tool_choice", ValueKinds.Object, "{\"type\":\"none\"}", "Whether it calls any, and which.") with { Inner = Choice, With = $"\"tools\":{ToolExample}" },
        Refused("thinking", "thinking before the answer", "{\"type\":\"disabled\"}"),
        Honoured("output_config", ValueKinds.Object, "{}", "How the answer is written. It does not change a prompt's count.") with { Inner = OutputConfig },
        Honoured("output_format", ValueKinds.Object, Format.Example, "Older name of the format in `output_config`, which comes before it.") with { Inner = Format },
        Refused("mcp_servers", "calling servers of tools", "[]"),
        Refused("context_management", "editing the context"),
        Refused("compaction", "summarising the context"),
        Ignored("billing_policy", "Who pays; nobody does."),
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
        Refused("fallbacks", "another model's answer", "[]"),
        Refused("fallback_credit_token", "another model's answer"),
        Refused("thread", "a conversation that the server holds"),
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
