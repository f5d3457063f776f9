using System.Text.Json.Serialization;

namespace KvTiers.Silo.Anthropic;

/// <summary>Computed tokens that are kept, by the time that they are kept for.</summary>
/// <param name="FiveMinutes">Those before a breakpoint of <c>5m</c>.</param>
/// <param name="OneHour">Those before a breakpoint of <c>1h</c>.</param>
internal sealed record CacheCreation(
    [property: JsonPropertyName("ephemeral_5m_input_tokens")] int FiveMinutes,
    [property: JsonPropertyName("ephemeral_1h_input_tokens")] int OneHour);
