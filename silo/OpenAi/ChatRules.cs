using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks a chat request. Every fault is a 400 that names the parameter.</summary>
internal static class ChatRules
{
    /// <summary>The request, checked.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static ChatCall Check(ChatCompletionRequest request, ModelConfig model, SamplingOptions defaults)
    {
        if (request.Messages is not { Count: > 0 } messages)
            throw ApiException.BadRequest("'messages' must hold at least one message.", "messages");
        if (request.TopLogprobs is not null && request.Logprobs != true)
            throw ApiException.BadRequest("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs");
        int? topLogProbs = request.Logprobs == true ? CompletionRules.InRange(request.TopLogprobs ?? 0, 0, 20, "top_logprobs") : null;

        CompletionCall common = CompletionRules.Check(request, topLogProbs, model, defaults);
        if (request.MaxCompletionTokens is { } most)
            common = common with { MaxTokens = CompletionRules.CheckMaxTokens(most, "max_completion_tokens", model) };
        string? conversation = Conversation(request);
        if (conversation is not null && common.Choices > 1)
            throw ApiException.BadRequest("'n' must be 1 in a conversation: its log has one answer.", "n");
        return new ChatCall([.. messages.Select(Message)], common, conversation);
    }

    private static string? Conversation(ChatCompletionRequest request)
    {
        string? conversation = request.Conversation ?? request.PromptCacheKey;
        string param = request.Conversation is null ? "prompt_cache_key" : "conversation";
        if (conversation is null) return null;
        try
        {
            ConversationKey.Validate(conversation, param);
            return conversation;
        }
        catch (ArgumentException e)
        {
            throw ApiException.BadRequest(WireNames.Message(e), param, null, e);
        }
    }

    private static ChatMessage Message(ChatMessageParameter? message, int index)
    {
        string at = $"messages[{index}]";
        if (message is null) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        Unsupported.RefuseInMessage(message.Others, at);
        string role = message.Role switch
        {
            "system" or "user" or "assistant" => message.Role,
            "developer" => "system",
            "tool" or "function" => throw ApiException.Unsupported($"{at}.role", "calling tools"),
            null => throw ApiException.BadRequest($"'{at}.role' is missing.", $"{at}.role"),
            _ => throw ApiException.BadRequest($"'{at}.role' is '{message.Role}'; it must be system, developer, user or assistant.", $"{at}.role"),
        };
        return new ChatMessage(role, Content(message.Content, $"{at}.content"));
    }

    private static string Content(JsonElement? content, string param) => content switch
    {
        { ValueKind: JsonValueKind.String } text => SiloJson.Text(text, param),
        { ValueKind: JsonValueKind.Array } parts => Text(parts, param),
        _ => throw ApiException.BadRequest($"'{param}' must be a string or a list of text parts.", param),
    };

    private static string Text(JsonElement parts, string param)
    {
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            string at = $"{param}[{index++}]";
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String)
                throw ApiException.BadRequest($"'{at}' must be an object with a type.", at);
            if (!type.ValueEquals("text")) throw ApiException.Unsupported(at, $"content of type '{type.GetString()}'");
            if (!part.TryGetProperty("text", out JsonElement piece) || piece.ValueKind != JsonValueKind.String)
                throw ApiException.BadRequest($"'{at}.text' must be a string.", $"{at}.text");
            text.Append(SiloJson.Text(piece, $"{at}.text"));
        }

        return text.ToString();
    }
}
