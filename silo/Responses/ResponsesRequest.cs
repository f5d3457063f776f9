using System.Text.Json;

namespace KvTiers.Silo.Responses;

/// <summary>Body of <c>POST /v1/responses</c>.</summary>
internal sealed record ResponsesRequest
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>What is new: a string, or a list of items.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>A system message for this response alone.</summary>
    public string? Instructions { get; init; }

    /// <summary>Most tokens to generate.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>0 = the likeliest token always; up to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Share of probability that is drawn from.</summary>
    public double? TopP { get; init; }

    /// <summary>Alternatives to report beside each token, 0 to 20.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Whether the answer is sent as events.</summary>
    public bool? Stream { get; init; }

    /// <summary>Whether the response is stored; absent = it is.</summary>
    public bool? Store { get; init; }

    /// <summary>The stored response that this one follows.</summary>
    public string? PreviousResponseId { get; init; }

    /// <summary>The stored conversation that this is a turn of: its id, or <c>{"id": …}</c>.</summary>
    public JsonElement? Conversation { get; init; }

    /// <summary>Up to 16 texts of the caller's, by name.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>How the text of the answer is written.</summary>
    public TextParameter? Text { get; init; }

    /// <summary>What is done with an input that is too long.</summary>
    public string? Truncation { get; init; }

    /// <summary>What else the answer is to carry.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>The functions that the answer may call.</summary>
    public IReadOnlyList<FunctionParameter>? Tools { get; init; }

    /// <summary><c>none</c>, <c>auto</c>, <c>required</c>, or an object that names functions.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Whether the answer may make several calls; absent = it may.</summary>
    public bool? ParallelToolCalls { get; init; }
}
