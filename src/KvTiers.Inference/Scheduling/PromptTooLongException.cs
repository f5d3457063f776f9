namespace KvTiers.Inference.Scheduling;

/// <summary>A prompt leaves no room for a single new token, in the model's context or in the block pool.</summary>
public sealed class PromptTooLongException : ArgumentException
{
    /// <summary>A prompt of so many tokens against so many allowed.</summary>
    /// <param name="promptTokenCount">Tokens in the prompt.</param>
    /// <param name="maxPromptTokenCount">Tokens that a prompt may have.</param>
    /// <param name="limit">What sets the limit, as the end of a sentence: "the model's context holds 2048 tokens".</param>
    public PromptTooLongException(int promptTokenCount, int maxPromptTokenCount, string limit)
        : base($"The prompt has {promptTokenCount} tokens; it must have at most {maxPromptTokenCount}, because {limit}.", nameof(GenerationRequest.Prompt))
    {
        PromptTokenCount = promptTokenCount;
        MaxPromptTokenCount = maxPromptTokenCount;
        Limit = limit;
    }

    /// <summary>Tokens in the prompt.</summary>
    public int PromptTokenCount { get; }

    /// <summary>Tokens that a prompt may have.</summary>
    public int MaxPromptTokenCount { get; }

    /// <summary>What sets the limit, as the end of a sentence.</summary>
    public string Limit { get; }
}
