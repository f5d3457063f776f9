using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>What one piece adds to one answer.</summary>
/// <param name="Index">Which of the n answers.</param>
/// <param name="Delta">The addition.</param>
/// <param name="Logprobs">Log probabilities of the piece's token; null = not asked for.</param>
/// <param name="FinishReason">Why the answer ended; null = it goes on.</param>
internal sealed record ChatChunkChoice(
    int Index,
    ChatDelta Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogprobs? Logprobs = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null);
