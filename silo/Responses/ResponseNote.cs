using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Silo.Responses;

/// <summary>What is kept of a response beside the messages and tokens of its turn: the note of the turn.</summary>
internal sealed record ResponseNote
{
    // Tells it from notes of others.
    private const string Is = "response";

    /// <summary>Always <c>response</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>The instructions, which are the conversation's first message then; null = none.</summary>
    public string? Instructions { get; init; }

    /// <summary>The response that it follows; null = none.</summary>
    public string? PreviousResponseId { get; init; }

    /// <summary>Most tokens to generate; null = as the server had it.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>See <see cref="Inference.Model.SamplingOptions"/>.</summary>
    public required double Temperature { get; init; }

    /// <summary>See <see cref="Inference.Model.SamplingOptions"/>.</summary>
    public required double TopP { get; init; }

    /// <summary>The format of the answer, as it was sent; null = it was not.</summary>
    public JsonElement? Format { get; init; }

    /// <summary>The functions that the answer could call, as they were sent; null = none.</summary>
    public IReadOnlyList<FunctionParameter>? Tools { get; init; }

    /// <summary>How they were to be called, as it was sent; null = it was not.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Whether the answer could make several calls.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>Whether messages could be left out of the prompt; null = they could not.</summary>
    public Truncation? Truncation { get; init; }

    /// <summary>Texts of the caller's, by name.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>What is to be kept of a new response.</summary>
    public static ResponseNote Of(ResponsesCall call, long createdAt) => new()
    {
        Kind = Is,
        CreatedAt = createdAt,
        Instructions = call.Instructions,
        PreviousResponseId = call.PreviousResponseId,
        MaxOutputTokens = call.MaxTokens,
        Temperature = call.Sampling.Temperature,
        TopP = call.Sampling.TopP,
        Format = call.SentFormat,
        Tools = call.SentTools.Count == 0 ? null : call.SentTools,
        ToolChoice = call.SentChoice,
        ParallelToolCalls = call.Tools?.ParallelCalls ?? true,
        Truncation = call.Truncation == KvTiers.Conversations.Truncation.Disabled ? null : call.Truncation,
        Metadata = call.Metadata,
    };

    /// <summary>The note as it is stored.</summary>
    public string Write() => JsonSerializer.Serialize(this, ConversationJson.Options);

    /// <summary>A stored note; null = it is none of a response.</summary>
    public static ResponseNote? Read(string? note)
    {
        if (note is null || !note.StartsWith('{')) return null;
        try
        {
            ResponseNote? read = JsonSerializer.Deserialize<ResponseNote>(note, ConversationJson.Options);
            return read?.Kind == Is ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
