using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Http;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks a chat request. Every fault is a 400 that names the parameter.</summary>
internal static class ChatRules
{
    /// <summary>The request, checked.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static ChatCall Check(ChatCompletionRequest request, ModelConfig model, SamplingOptions defaults)
    {
        IReadOnlyList<ChatMessage> messages = Messages(request.Messages);
        if (request.TopLogprobs is not null && request.Logprobs != true)
            throw ApiException.BadRequest("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs");
        int? topLogProbs = request.Logprobs == true ? CompletionRules.InRange(request.TopLogprobs ?? 0, 0, 20, "top_logprobs") : null;

        CompletionCall common = CompletionRules.Check(request, topLogProbs, model, defaults);
        if (request.MaxCompletionTokens is { } most) common = common with { MaxTokens = CompletionRules.TokenLimit(most, "max_completion_tokens") };
        string? conversation = Conversation(request.Conversation);
        if (conversation is not null) CheckConversation(request, common);
        ToolUse? tools = ToolRules.Check(request.Tools, request.ToolChoice, request.ParallelToolCalls);
        Truncation? truncation = TruncationRules.Check(request.Truncation);
        if (truncation == Truncation.Auto && common.PromptTokens is not null)
            throw ApiException.BadRequest("'truncate_prompt_tokens' cannot stand beside 'truncation' with 'auto': one cuts tokens, the other leaves messages out.", "truncate_prompt_tokens");
        return new ChatCall(messages, common, tools, conversation, Ending(request))
        {
            Truncation = truncation,
            TemplateVariables = request.ChatTemplateKwargs is { Count: > 0 } variables ? variables : null,
        };
    }

    /// <summary>The messages, checked.</summary>
    /// <exception cref="ApiException">There is none, or one is not as it must be.</exception>
    public static IReadOnlyList<ChatMessage> Messages(IReadOnlyList<ChatMessageParameter>? messages) => messages is { Count: > 0 }
        ? [.. messages.Select(Message)]
        : throw ApiException.BadRequest("'messages' must hold at least one message.", "messages", messages is null ? ApiException.MissingParameter : null);

    /// <summary>The chat template with a request's variables.</summary>
    /// <exception cref="ApiException">400: a variable cannot be set.</exception>
    public static ChatPrompt Template(ChatPrompt chat, IReadOnlyDictionary<string, JsonElement>? variables)
    {
        if (variables is null or { Count: 0 }) return chat;
        try
        {
            return chat.With(variables);
        }
        catch (ArgumentException e)
        {
            throw ApiException.BadRequest($"'chat_template_kwargs.{e.ParamName}' cannot be set: the server sets it.", $"chat_template_kwargs.{e.ParamName}", null, e);
        }
    }

    private static PromptEnding Ending(ChatCompletionRequest request) => (request.ContinueFinalMessage ?? false, request.AddGenerationPrompt) switch
    {
        (true, true) => throw ApiException.BadRequest("'continue_final_message' and 'add_generation_prompt' must not both be true: one goes on with a message, the other begins one.", "continue_final_message"),
        (true, _) => PromptEnding.OpenMessage,
        (false, false) => PromptEnding.LastMessage,
        _ => PromptEnding.GenerationPrompt,
    };

    private static string? Conversation(JsonElement? conversation)
    {
        (string? id, string param) = conversation switch
        {
            null or { ValueKind: JsonValueKind.Null } => (null, "conversation"),
            { ValueKind: JsonValueKind.String } text => (SiloJson.Text(text, "conversation"), "conversation"),
            { } named when named.TryGetProperty("id", out JsonElement value) && value.ValueKind == JsonValueKind.String => (SiloJson.Text(value, "conversation.id"), "conversation.id"),
            _ => throw ApiException.BadRequest("'conversation.id' is missing.", "conversation.id", ApiException.MissingParameter),
        };
        if (id is null) return null;
        try
        {
            ConversationKey.ValidateNew(id, param);
            return id;
        }
        catch (ArgumentException e)
        {
            throw ApiException.BadRequest(WireNames.Message(e), param, null, e);
        }
    }

    // A conversation's turn is its whole log and one answer to it.
    private static void CheckConversation(ChatCompletionRequest request, CompletionCall common)
    {
        if (common.Choices > 1) throw ApiException.BadRequest("'n' must be 1 in a conversation: its log has one answer.", "n");
        string? param = request.ContinueFinalMessage == true ? "continue_final_message"
            : request.AddGenerationPrompt == false ? "add_generation_prompt"
            : request.ChatTemplateKwargs is { Count: > 0 } ? "chat_template_kwargs"
            : common.PromptTokens is not null ? "truncate_prompt_tokens"
            : common.PromptLogProbs is not null ? "prompt_logprobs"
            : common.Beams is not null ? "use_beam_search"
            : null;
        if (param is not null) throw ApiException.BadRequest($"'{param}' is not possible in a conversation.", param);
    }

    private static ChatMessage Message(ChatMessageParameter? message, int index)
    {
        string at = $"messages[{index}]";
        if (message is null) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        string role = message.Role switch
        {
            "system" or "user" or "assistant" or "tool" => message.Role,
            "developer" => "system",
            "function" => throw ApiException.Unsupported($"{at}.role", "calling functions"),
            null => throw ApiException.BadRequest($"'{at}.role' is missing.", $"{at}.role", ApiException.MissingParameter),
            _ => throw ApiException.BadRequest($"'{at}.role' is '{message.Role}'; it must be system, developer, user, assistant or tool.", $"{at}.role"),
        };
        return new ChatMessage(role, Content(message.Content, role, $"{at}.content"))
        {
            Name = message.Name,
            ReasoningContent = Of(role, "assistant", message.ReasoningContent, $"{at}.reasoning_content"),
            ToolCalls = ToolRules.Calls(Of(role, "assistant", message.ToolCalls, $"{at}.tool_calls"), $"{at}.tool_calls"),
            ToolCallId = role == "tool" && message.ToolCallId is null ? throw ApiException.BadRequest($"'{at}.tool_call_id' is missing.", $"{at}.tool_call_id", ApiException.MissingParameter) : Of(role, "tool", message.ToolCallId, $"{at}.tool_call_id"),
        };
    }

    private static T? Of<T>(string role, string speaker, T? value, string param)
        where T : class =>
        value is null || role == speaker ? value : throw ApiException.BadRequest($"'{param}' is only allowed in a message of the role {speaker}.", param);

    private static string Content(JsonElement? content, string role, string param) => content switch
    {
        { ValueKind: JsonValueKind.String } text => SiloJson.Text(text, param),
        { ValueKind: JsonValueKind.Array } parts => Text(parts, param),
        { ValueKind: JsonValueKind.Object } => throw ApiException.BadRequest($"'{param}' is an object; it must be a string or a list of text parts.", param),
        // As an assistant's message that only called tools comes back.
        _ when role == "assistant" => "",
        _ => throw ApiException.BadRequest($"'{param}' is missing.", param, ApiException.MissingParameter),
    };

    private static string Text(JsonElement parts, string param)
    {
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            string at = $"{param}[{index++}]";
            string type = Member(part, "type", at);
            if (type != "text") throw ApiException.Unsupported($"{at}.type", $"content of type '{type}'");
            text.Append(Member(part, "text", at));
        }

        return text.ToString();
    }

    private static string Member(JsonElement part, string name, string at) => part.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
        ? SiloJson.Text(value, $"{at}.{name}")
        : throw ApiException.BadRequest($"'{at}.{name}' is missing.", $"{at}.{name}", ApiException.MissingParameter);
}
