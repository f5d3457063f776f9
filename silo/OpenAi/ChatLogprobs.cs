using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>Log probabilities of a chat answer's tokens.</summary>
/// <param name="Content">One entry a token.</param>
internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content)
{
    /// <summary>Always null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<ChatTokenLogprob>? Refusal => null;
}
