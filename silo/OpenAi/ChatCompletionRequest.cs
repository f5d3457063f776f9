namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /v1/chat/completions</c>.</summary>
internal sealed record ChatCompletionRequest : SamplingParameters
{
    /// <summary>The whole history.</summary>
    public IReadOnlyList<ChatMessageParameter>? Messages { get; init; }

    /// <summary>Newer name of <c>max_tokens</c>.</summary>
    public int? MaxCompletionTokens { get; init; }

    /// <summary>Whether tokens come with log probabilities.</summary>
    public bool? Logprobs { get; init; }

    /// <summary>Alternatives to report beside each token, 0 to 20.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Names the conversation whose log the history is compared with.</summary>
    public string? PromptCacheKey { get; init; }

    /// <summary>Extension: the same as <c>prompt_cache_key</c>.</summary>
    public string? Conversation { get; init; }
}
