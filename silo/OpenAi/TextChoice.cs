using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>One answer of a text completion, or one piece of it.</summary>
/// <param name="Text">Its text, the prompt's before it when echo was asked for.</param>
/// <param name="Index">Which answer.</param>
/// <param name="Logprobs">Log probabilities; null = not asked for.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>; null in a piece that is not the last.</param>
internal sealed record TextChoice(
    string Text,
    int Index,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] TextLogprobs? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason)
{
    /// <summary>[prompt tokens]: likely tokens by id; null for the first. Null = not asked for.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, PromptLogprob>?>? PromptLogprobs { get; init; }
}
