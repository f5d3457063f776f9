using System.Text.Json.Serialization;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Log probabilities of a chat answer's tokens.</summary>
/// <param name="Content">One entry a token.</param>
internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content)
{
    /// <summary>Those of some tokens; null when there are none.</summary>
    public static ChatLogprobs? OrNull(IReadOnlyList<CertainToken>? tokens, Tokenizer tokenizer) =>
        tokens is { Count: > 0 } ? new ChatLogprobs([.. Logprobs.Chat(tokens, tokenizer)]) : null;

    /// <summary>Always null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<ChatTokenLogprob>? Refusal => null;
}
