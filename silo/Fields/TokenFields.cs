using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of the routes that turn text into token ids and back, in vLLM's and llama.cpp's shapes.</summary>
internal static class TokenFields
{
    private static readonly Field Model = Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404.");

    private static readonly Field Messages = Honoured("messages", ValueKinds.List, "[{\"role\":\"user\",\"content\":\"Hello\"}]", "A chat, which the model's template writes as text.") with { Inner = MessageFields.Table };

    private static readonly Field AddGenerationPrompt = Honoured("add_generation_prompt", ValueKinds.Boolean, "false", "Whether the chat ends with what makes the model answer; by default it does.") with { With = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"prompt\":null" };

    private static readonly Field Variables = Honoured("chat_template_kwargs", ValueKinds.Object, "{\"enable_thinking\":false}", "Variables for the chat template, beside those that the server sets.");

    private static readonly Field Tools = Honoured("tools", ValueKinds.List, ToolFields.Example, "Functions that the chat's answer may call, which the template tells the model of.") with { Inner = ToolFields.Table };

    /// <summary>Of <c>POST /tokenize</c>.</summary>
    public static FieldTable Tokenize { get; } = new("this request",
    [
        Model,
        Honoured("prompt", ValueKinds.Text, "\"Hello\"", "A text. Special tokens in it count.") with { IsRequired = true, Alternatives = ["content", "messages"] },
        Honoured("content", ValueKinds.Text, "\"Hello\"", "llama.cpp's name of `prompt`.") with { With = "\"prompt\":null" },
        Messages with { With = "\"prompt\":null" },
        AddGenerationPrompt,
        Honoured("add_special_tokens", ValueKinds.Boolean, "false", "Whether the model's own opening tokens stand before a text; by default they do. A chat's template writes its own."),
        Honoured("add_special", ValueKinds.Boolean, "false", "llama.cpp's name of `add_special_tokens`."),
        Honoured("parse_special", ValueKinds.Boolean, "false", "Whether special tokens in a text count; by default they do."),
        Honoured("return_token_strs", ValueKinds.Boolean, "true", "Whether the tokens' texts come as `token_strs`."),
        Honoured("with_pieces", ValueKinds.Boolean, "true", "Whether each token comes as an object with `id` and `piece`."),
        Refused("continue_final_message", "going on with the last message", "false"),
        Tools with { With = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"prompt\":null" },
        Refused("chat_template", "a template in the request"),
        Variables with { With = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"prompt\":null" },
        Refused("mm_processor_kwargs", "anything but text", "{}"),
    ])
    {
        Example = """{"prompt":"Hello"}""",
    };

    /// <summary>Of <c>POST /detokenize</c>.</summary>
    public static FieldTable Detokenize { get; } = new("this request",
    [
        Model,
        Honoured("tokens", ValueKinds.List, "[5,6]", "Token ids.") with { IsRequired = true },
    ])
    {
        Example = """{"tokens":[5]}""",
    };

    /// <summary>Of <c>POST /apply-template</c>.</summary>
    public static FieldTable ApplyTemplate { get; } = new("this request",
    [
        Model,
        Messages with { IsRequired = true },
        AddGenerationPrompt with { With = null },
        Tools,
        Variables,
    ])
    {
        Example = """{"messages":[{"role":"user","content":"Hello"}]}""",
    };
}
