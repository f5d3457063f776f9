using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Silo.Responses;

/// <summary>A checked request.</summary>
internal sealed record ResponsesCall
{
    /// <summary>What is new, perhaps nothing.</summary>
    public required IReadOnlyList<ChatMessage> Input { get; init; }

    /// <summary>A system message for this response alone; null = none.</summary>
    public required string? Instructions { get; init; }

    /// <summary>How tokens are chosen; log probabilities included.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>Most tokens to generate; null = as the server has it.</summary>
    public required int? MaxTokens { get; init; }

    /// <summary>Whether the answer is sent as events.</summary>
    public required bool Stream { get; init; }

    /// <summary>Whether the response is stored.</summary>
    public required bool Store { get; init; }

    /// <summary>The stored response that this one follows; null = none.</summary>
    public required string? PreviousResponseId { get; init; }

    /// <summary>The stored conversation that this is a turn of; null = none.</summary>
    public required string? Conversation { get; init; }

    /// <summary>What the answer must look like; null = nothing in particular.</summary>
    public required AnswerFormat? Format { get; init; }

    /// <summary>The same as it was sent; null = it was not.</summary>
    public required JsonElement? SentFormat { get; init; }

    /// <summary>The functions that the answer may call; null = none.</summary>
    public required ToolUse? Tools { get; init; }

    /// <summary>The same as they were sent.</summary>
    public required IReadOnlyList<FunctionParameter> SentTools { get; init; }

    /// <summary>How they are to be called, as it was sent; null = it was not.</summary>
    public required JsonElement? SentChoice { get; init; }

    /// <summary>Whether messages may be left out of the prompt to fit the model's context.</summary>
    public required Truncation Truncation { get; init; }

    /// <summary>Texts of the caller's, by name.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The history with what is new: the instructions, what was said before, the input.</summary>
    /// <param name="before">What was said before, without its own instructions.</param>
    public IReadOnlyList<ChatMessage> After(IEnumerable<ChatMessage> before) =>
        [.. Instructions is null ? [] : new ChatMessage[] { new("system", Instructions) }, .. before, .. Input];
}
