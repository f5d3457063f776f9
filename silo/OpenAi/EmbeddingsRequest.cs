using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /v1/embeddings</c>.</summary>
internal sealed record EmbeddingsRequest
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>A string, a list of strings, a list of token ids, or a list of such lists.</summary>
    public JsonElement? Input { get; init; }

    /// <summary><c>float</c> or <c>base64</c>.</summary>
    public string? EncodingFormat { get; init; }

    /// <summary>Length of the vectors: the model's, or absent.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Extension: <c>mean</c> or <c>last</c>.</summary>
    public string? Pooling { get; init; }
}
