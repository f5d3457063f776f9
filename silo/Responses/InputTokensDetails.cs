namespace KvTiers.Silo.Responses;

/// <summary>Where a prompt's tokens came from.</summary>
/// <param name="CachedTokens">Those found in any tier of the cache.</param>
internal sealed record InputTokensDetails(int CachedTokens);
