namespace KvTiers.Samples.TorchGenerate;

/// <summary>How much is generated, and how tokens are chosen.</summary>
/// <param name="NewTokens">Tokens to generate, 1 or more.</param>
/// <param name="TopK">Tokens to draw among, the likeliest ones; null for the likeliest one, always.</param>
/// <param name="Seed">Same seed, same draws.</param>
public sealed record GenerateOptions(int NewTokens, int? TopK = null, long Seed = 1);
