using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>One answer of a chat completion.</summary>
/// <param name="Index">Which of the n answers.</param>
/// <param name="Message">The answer.</param>
/// <param name="Logprobs">Log probabilities; null = not asked for.</param>
/// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</param>
internal sealed record ChatChoice(
    int Index,
    ChatAnswer Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogprobs? Logprobs,
    string FinishReason);
