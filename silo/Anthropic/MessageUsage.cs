using System.Text.Json.Serialization;

namespace KvTiers.Silo.Anthropic;

/// <summary>Tokens in and out of an answer.</summary>
/// <param name="InputTokens">See <see cref="PromptUse"/>.</param>
/// <param name="CacheCreationInputTokens">Both of <paramref name="CacheCreation"/>.</param>
/// <param name="CacheReadInputTokens">See <see cref="PromptUse"/>.</param>
/// <param name="CacheCreation">See <see cref="PromptUse"/>.</param>
/// <param name="OutputTokens">Generated tokens, one that ended the text included.</param>
internal sealed record MessageUsage(int InputTokens, int CacheCreationInputTokens, int CacheReadInputTokens, CacheCreation CacheCreation, int OutputTokens)
{
    /// <summary>Always null: nothing is known of places.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? InferenceGeo => null;

    /// <summary>Always null: no tool runs in the server.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? ServerToolUse => null;

    /// <summary>Always <c>standard</c>.</summary>
    public string ServiceTier => "standard";

    /// <summary>The usage of an answer.</summary>
    public static MessageUsage Of(PromptUse use, int outputTokens) => new(use.InputTokens, use.CreationTokens, use.ReadTokens, use.Creation, outputTokens);
}
