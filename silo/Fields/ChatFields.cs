using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatFields
{
    /// <summary>The fields of an object that names a conversation.</summary>
    internal static readonly FieldTable Conversation = new("'conversation'", [Honoured("id", ValueKinds.Text, "\"of-the-table\"", "Its id.") with { IsRequired = true }])
    {
        Example = """{"id":"of-the-table"}""",
    };

    /// <summary>The fields.</summary>
    public static FieldTable Table { get; } = new("this request",
    [
        Honoured("messages", ValueKinds.List, "[{\"role\":\"user\",\"content\":\"Hello\"}]", "The whole history, at least one message.") with { Inner = MessageFields.Table, IsRequired = true },
        Honoured("max_completion_tokens", ValueKinds.Integer, "5", "Newer name of `max_tokens`, before which it comes."),
        Honoured("logprobs", ValueKinds.Boolean, "true", "Whether tokens come with log probabilities."),
        Honoured("top_logprobs", ValueKinds.Integer, "2", "0 to 20 alternatives beside each token; only with `logprobs`.") with { With = "\"logprobs\":true" },
        Honoured("conversation", ValueKinds.Text | ValueKinds.Object, "\"of-the-table\"", "Names the stored conversation that the history is compared with, and the answer is added to: its id, or `{\"id\": …}`.") with { Inner = Conversation },
        Ignored("prompt_cache_key", "A hint where the prefix may be cached; it is looked for everywhere."),
        Honoured("tools", ValueKinds.List, ToolFields.Example, "1 to 256 functions that the answer may call ([tools.md](tools.md)); other types of tools are refused by name.") with { Inner = ToolFields.Table },
        Honoured("tool_choice", ValueKinds.Text | ValueKinds.Object, "\"none\"", "`none`, `auto`, `required`, an object that names a function, or one of the type `allowed_tools`.") with { Inner = ToolFields.Choice, With = $"\"tools\":{ToolFields.Example}" },
        Honoured("parallel_tool_calls", ValueKinds.Boolean, "false", "false: one call at most."),
        Refused("functions", "calling functions", "[]"),
        Refused("function_call", "calling functions", "\"none\"", "\"auto\""),
        Refused("modalities", "anything but text", "[\"text\"]", "[]"),
        Refused("audio", "audio"),
        Refused("reasoning_effort", "reasoning effort", "\"none\"", "\"\""),
        Refused("verbosity", "verbosity", "\"medium\""),
        Refused("web_search_options", "searching the web"),
        Ignored("prediction", "Text that the answer will likely hold: a hint that saves time only."),
        Ignored("safety_identifier", "Who asks, to the vendor."),
        Ignored("prompt_cache_options", "Where and how long prefixes are cached; every prefix is, while there is room."),
        Refused("moderation", "moderation"),
        Ignored("prompt_cache_retention", "How long a prefix should stay cached; blocks stay while there is room."),
        Refused("echo", "the prompt before the answer", "false"),
        Honoured("add_generation_prompt", ValueKinds.Boolean, "false", "false: the prompt ends with the last message. Not in a conversation."),
        Honoured("continue_final_message", ValueKinds.Boolean, "true", "true: the answer goes on with the last message. Not in a conversation."),
        Refused("add_special_tokens", "special tokens beside the template's", "false"),
        Refused("documents", "documents for the template", "[]"),
        Refused("chat_template", "a template in the request"),
        Honoured("truncation", ValueKinds.Text, "\"auto\"", "`disabled`: what does not fit the context is refused; `auto`: the oldest turns are left out of the prompt ([contexts.md](contexts.md)). By default as the `conversation` has it, and without one `disabled`."),
        Honoured("chat_template_kwargs", ValueKinds.Object, "{\"enable_thinking\":false}", "Variables for the chat template, beside those that the server sets. Not in a conversation."),
        Refused("mm_processor_kwargs", "anything but text", "{}"),
        Refused("media_io_kwargs", "anything but text", "{}"),
        Refused("thinking_token_budget", "a budget for thinking"),
        Ignored("include_reasoning", "Whether reasoning comes apart from the answer; none is told apart here."),
        Refused("reasoning_format", "telling reasoning apart", "\"none\"", "\"auto\""),
        Refused("enable_thinking", "switching thinking on or off"),
        Refused("parse_tool_calls", "calls as text", "true"),
        .. SamplingFields.All,
    ])
    {
        Example = """{"messages":[{"role":"user","content":"Hello"}],"max_tokens":2}""",
    };
}
