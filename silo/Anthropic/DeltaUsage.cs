using System.Text.Json.Serialization;

namespace KvTiers.Silo.Anthropic;

/// <summary>Tokens in and out of a streamed answer, at its end.</summary>
/// <param name="InputTokens">See <see cref="PromptUse"/>.</param>
/// <param name="CacheCreationInputTokens">See <see cref="PromptUse"/>.</param>
/// <param name="CacheReadInputTokens">See <see cref="PromptUse"/>.</param>
/// <param name="OutputTokens">Generated tokens, one that ended the text included.</param>
internal sealed record DeltaUsage(int InputTokens, int CacheCreationInputTokens, int CacheReadInputTokens, int OutputTokens)
{
    /// <summary>Always null: no tool runs in the server.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? ServerToolUse => null;

    /// <summary>The usage of an answer.</summary>
    public static DeltaUsage Of(PromptUse use, int outputTokens) => new(use.InputTokens, use.CreationTokens, use.ReadTokens, outputTokens);
}
