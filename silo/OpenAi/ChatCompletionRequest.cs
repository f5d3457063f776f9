using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /v1/chat/completions</c>.</summary>
internal sealed record ChatCompletionRequest : SamplingParameters
{
    /// <summary>The whole history.</summary>
    public IReadOnlyList<ChatMessageParameter>? Messages { get; init; }

    /// <summary>Functions that the answer may call.</summary>
    public IReadOnlyList<ToolParameter>? Tools { get; init; }

    /// <summary>Whether it does: <c>none</c>, <c>auto</c>, <c>required</c>, or an object that names functions.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Whether it may make more than one call.</summary>
    public bool? ParallelToolCalls { get; init; }

    /// <summary>Newer name of <c>max_tokens</c>.</summary>
    public long? MaxCompletionTokens { get; init; }

    /// <summary>Whether tokens come with log probabilities.</summary>
    public bool? Logprobs { get; init; }

    /// <summary>Alternatives to report beside each token, 0 to 20.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Extension: names the conversation whose log the history is compared with; a string, or <c>{"id": …}</c>.</summary>
    public JsonElement? Conversation { get; init; }

    /// <summary>Extension: whether messages may be left out of the prompt to fit the model's context, <c>auto</c> or <c>disabled</c>.</summary>
    public string? Truncation { get; init; }

    /// <summary>Extension: variables for the chat template.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary>Extension: whether the prompt ends with what makes the model answer.</summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary>Extension: whether the answer goes on with the last message.</summary>
    public bool? ContinueFinalMessage { get; init; }
}
