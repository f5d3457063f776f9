namespace KvTiers.Silo.OpenAi;

/// <summary>One vector.</summary>
/// <param name="Index">Which input it is of.</param>
/// <param name="Vector">[hidden], of length 1: a list of numbers, or their bytes (little-endian, 32 bits each) in base64.</param>
internal sealed record Embedding(int Index, [property: System.Text.Json.Serialization.JsonPropertyName("embedding")] object Vector)
{
    /// <summary>Always <c>embedding</c>.</summary>
    public string Object => "embedding";
}
