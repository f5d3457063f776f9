namespace KvTiers.Silo.OpenAi;

/// <summary>Where a prompt's tokens came from.</summary>
/// <param name="CachedTokens">Tokens whose K and V were found in the cache.</param>
internal sealed record PromptTokensDetails(int CachedTokens);
