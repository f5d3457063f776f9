using KvTiers.Inference.Scheduling;

namespace KvTiers.Silo.Http;

/// <summary>What is said of a prompt that the model's context does not take, and what can be done.</summary>
internal static class ContextFault
{
    /// <summary>The error, with the words of the path's API.</summary>
    public static ApiException Of(PromptTooLongException fault, PathString path)
    {
        string param = path.Value switch
        {
            "/v1/completions" => "prompt",
            "/v1/embeddings" or "/v1/responses" => "input",
            _ => "messages",
        };
        return ApiException.ContextLengthExceeded(Message(fault, path), param, fault);
    }

    private static string Message(PromptTooLongException fault, PathString path)
    {
        // Anthropic's clients look for these words.
        if (path.StartsWithSegments("/v1/messages"))
            return $"prompt is too long: {fault.PromptTokenCount} tokens > {fault.MaxPromptTokenCount} maximum";
        bool canBeCut = path.Value is "/v1/chat/completions" or "/v1/responses" || path.StartsWithSegments("/v1/conversations");
        return canBeCut
            ? WireNames.Message(fault) + " Send less, or have the oldest turns left out of the prompt with \"truncation\": \"auto\"."
            : WireNames.Message(fault);
    }
}
