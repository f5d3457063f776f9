using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of <c>POST /v1/responses</c>.</summary>
internal static class ResponseFields
{
    private const string CallOfNow = "\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"now\",\"arguments\":\"{}\"";
    private const string ToolExample = """[{"type":"function","name":"now"}]""";

    private static readonly FieldTable Tool = new("a tool",
    [
        Honoured("type", ValueKinds.Text, "\"function\"", "`function`; other types are refused by name.") with { IsRequired = true },
        Honoured("name", ValueKinds.Text, "\"now\"", "1 to 128 letters, digits, `_`, `-`, `.`, `:` and `/`; no two functions have the same.") with { IsRequired = true },
        Honoured("description", ValueKinds.Text, "\"Tells the time.\"", "What it does, for the model."),
        Honoured("parameters", ValueKinds.Object, "{\"type\":\"object\"}", "JSON Schema of its arguments; absent = it takes none."),
        Honoured("strict", ValueKinds.Boolean, "true", "Whether the arguments must match the schema."),
    ])
    {
        Example = """{"type":"function","name":"now"}""",
    };

    private static readonly FieldTable Part = new("a content part",
    [
        Honoured("type", ValueKinds.Text, "\"input_text\"", "`input_text`, `output_text` or `refusal`; other types are refused by name.") with { IsRequired = true },
        Honoured("text", ValueKinds.Text, "\"Hello\"", "The part's text.") with { IsRequired = true },
        Ignored("annotations", "Notes on an answer's sources, as an answer had them."),
        Ignored("logprobs", "Log probabilities, as an answer had them."),
        Ignored("prompt_cache_breakpoint", "Where a cached prefix ends; every prefix is cached here."),
        Refused("image_url", "images"),
        Refused("detail", "images"),
        Refused("file_id", "files"),
        Refused("file_url", "files"),
        Refused("file_data", "files"),
        Refused("filename", "files"),
        Refused("input_audio", "audio"),
        Honoured("refusal", ValueKinds.Text, "\"No.\"", "The text of a part of the type `refusal`."),
    ])
    {
        Example = """{"type":"input_text","text":"Hello"}""",
    };

    private static readonly FieldTable Item = new("an input item",
    [
        Honoured("type", ValueKinds.Text, "\"message\"", "`message`, which may be left out, `function_call`, `function_call_output`, `item_reference` (a stored item by its id), or `reasoning`, which is left out of the prompt; other types are refused by name."),
        Honoured("role", ValueKinds.Text, "\"user\"", "Of a message: `system`, `developer` (the same), `user` or `assistant`.") with { IsRequired = true },
        Honoured("content", ValueKinds.Text | ValueKinds.List, "\"Hello\"", "A string, or a list of parts.") with { Inner = Part, IsRequired = true },
        Honoured("id", ValueKinds.Text, "\"msg_1\"", "Name of an item, as an answer had it; of an `item_reference`, the stored item that stands there."),
        Ignored("status", "How far an item was, as an answer had it."),
        Ignored("phase", "Of which part of an answer an item was, as an answer had it."),
        Honoured("call_id", ValueKinds.Text, "\"call_1\"", "Of a call, and of its result: names the call.") with { With = CallOfNow },
        Honoured("name", ValueKinds.Text, "\"now\"", "Of a call: the function's name.") with { With = CallOfNow },
        Honoured("arguments", ValueKinds.Text, "\"{}\"", "Of a call: the text of a JSON object.") with { With = CallOfNow },
        Honoured("output", ValueKinds.Text | ValueKinds.List, "\"noon\"", "Of a result: a string, or a list of parts.") with { With = "\"type\":\"function_call_output\",\"call_id\":\"call_1\"", Inner = Part },
        Ignored("summary", "Of a `reasoning` item, which is left out."),
        Ignored("encrypted_content", "Of a `reasoning` item, which is left out."),
    ])
    {
        Example = """{"role":"user","content":"Hello"}""",
    };

    private static readonly FieldTable Format = new("'text.format'",
    [
        Honoured("type", ValueKinds.Text, "\"text\"", "`text`, `json_object` or `json_schema`.") with { IsRequired = true },
        Honoured("schema", ValueKinds.Object, "{\"type\":\"object\"}", "With `json_schema`: what the answer matches ([structured-output.md](structured-output.md)).") with { With = "\"type\":\"json_schema\"" },
        Ignored("name", "A name for the schema."),
        Ignored("description", "What the schema is for."),
        Ignored("strict", "Whether the schema is held to, which it always is."),
    ])
    {
        Example = """{"type":"text"}""",
    };

    private static readonly FieldTable TextFormat = new("'text'",
    [
        Honoured("format", ValueKinds.Object, "{\"type\":\"json_object\"}", "Of the type `text`, `json_object` or `json_schema`.") with { Inner = Format },
        Refused("verbosity", "verbosity", "\"medium\""),
    ]);

    private static readonly FieldTable Reasoning = new("'reasoning'",
    [
        Refused("effort", "reasoning effort", "\"none\""),
        Refused("summary", "a summary of reasoning", "\"auto\""),
        Refused("generate_summary", "a summary of reasoning"),
    ]);

    /// <summary>The fields.</summary>
    public static FieldTable Table { get; } = new("this request",
    [
        Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404."),
        Honoured("input", ValueKinds.Text | ValueKinds.List, "\"Hello\"", "A string, or a list of items.") with { Inner = Item, IsRequired = true },
        Honoured("instructions", ValueKinds.Text, "\"Be kind.\"", "A system message before all others; not carried over to the next response."),
        Honoured("max_output_tokens", ValueKinds.Integer, "5", "Most tokens to generate."),
        Honoured("temperature", ValueKinds.Number, "0.7", "0 to 2; 0 takes the likeliest token always."),
        Honoured("top_p", ValueKinds.Number, "0.9", "0 to 1: the share of probability that is drawn from."),
        Honoured("stream", ValueKinds.Boolean, "true", "Whether the answer comes piece by piece, as server-sent events."),
        Honoured("store", ValueKinds.Boolean, "false", "Whether the response is stored; by default it is."),
        Honoured("metadata", ValueKinds.Object, "{\"a\":\"b\"}", "The caller's own notes, which the stored response carries."),
        Honoured("text", ValueKinds.Object, "{}", "How the text is written.") with { Inner = TextFormat },
        Honoured("reasoning", ValueKinds.Object, "{}", "How the model reasons.") with { Inner = Reasoning },
        Honoured("truncation", ValueKinds.Text, "\"auto\"", "`disabled`, the default: what does not fit the context is refused; `auto`: the oldest turns are left out of the prompt ([contexts.md](contexts.md))."),
        Honoured("previous_response_id", ValueKinds.Text, "\"resp_example\"", "The stored response that this one follows: it is forked, and only what is new is computed."),
        Honoured("conversation", ValueKinds.Text | ValueKinds.Object, "\"of-the-table\"", "The stored conversation that this is a turn of, or a new one: its id, or an object with it. Not with `previous_response_id`.") with { Inner = ChatFields.Conversation },
        Honoured("include", ValueKinds.List, "[\"message.output_text.logprobs\"]", "`message.output_text.logprobs`; `reasoning.encrypted_content` is of what no answer has, and others are refused by name."),
        Honoured("tools", ValueKinds.List, ToolExample, "1 to 256 functions that the answer may call.") with { Inner = Tool },
        Honoured("tool_choice", ValueKinds.Text | ValueKinds.Object, "\"none\"", "`none`, `auto`, `required`, an object that names a function, or one of the type `allowed_tools`.") with { With = $"\"tools\":{ToolExample}" },
        Honoured("parallel_tool_calls", ValueKinds.Boolean, "false", "false: one call at most."),
        Ignored("max_tool_calls", "Calls of tools that run in the vendor's servers."),
        Refused("background", "answering in the background", "false"),
        Refused("prompt", "stored prompts"),
        Honoured("top_logprobs", ValueKinds.Integer, "2", "0 to 20 alternatives beside each token."),
        Refused("context_management", "editing the context", "[]"),
        Ignored("stream_options", "Random characters that hide how long an event is; none are sent."),
        Ignored("user", "Who asks, to the caller."),
        Ignored("safety_identifier", "Who asks, to the vendor."),
        Ignored("prompt_cache_key", "A hint where the prefix may be cached; it is looked for everywhere."),
        Ignored("prompt_cache_retention", "How long a prefix should stay cached; blocks stay while there is room."),
        Ignored("service_tier", "How fast, at what price."),
        Ignored("prompt_cache_options", "Where and how long prefixes are cached; every prefix is, while there is room."),
        Refused("moderation", "moderation"),
    ])
    {
        Example = """{"input":"Hello","max_output_tokens":2}""",
    };
}
