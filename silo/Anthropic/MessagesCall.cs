using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Silo.Anthropic;

/// <summary>A checked request for an answer.</summary>
internal sealed record MessagesCall
{
    /// <summary>What is answered.</summary>
    public required Prompt Prompt { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>Most tokens to generate; 0 = none.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Strings that end the answer.</summary>
    public required IReadOnlyList<string> Stop { get; init; }

    /// <summary>What the answer must look like; null = nothing in particular.</summary>
    public required AnswerFormat? Format { get; init; }

    /// <summary>The parameter that <see cref="Format"/> came in.</summary>
    public required string FormatParam { get; init; }

    /// <summary>Whether the answer is sent piece by piece.</summary>
    public required bool Stream { get; init; }
}
