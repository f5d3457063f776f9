namespace KvTiers.Silo.OpenAi;

/// <summary>Tokens of the inputs.</summary>
/// <param name="PromptTokens">All of them.</param>
/// <param name="TotalTokens">The same.</param>
internal sealed record EmbeddingUsage(int PromptTokens, int TotalTokens);
