using KvTiers.Inference.Model;

namespace KvTiers.Silo.OpenAi;

/// <summary>The checked parameters that chat and text completions have in common.</summary>
internal sealed record CompletionCall
{
    /// <summary>How tokens are chosen; log probabilities included.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>Most tokens to generate; null = as the kind of call has it.</summary>
    public required int? MaxTokens { get; init; }

    /// <summary>Answers to each prompt.</summary>
    public required int Choices { get; init; }

    /// <summary>Strings that end the answer.</summary>
    public required IReadOnlyList<string> Stop { get; init; }

    /// <summary>Whether the answer is sent piece by piece.</summary>
    public required bool Stream { get; init; }

    /// <summary>Whether a stream's last piece carries the usage.</summary>
    public required bool IncludeUsage { get; init; }
}
