namespace KvTiers.Silo.OpenAi;

/// <summary>Log probabilities of a text completion's tokens: four lists of one length.</summary>
/// <param name="Tokens">Each token's text.</param>
/// <param name="TokenLogprobs">Natural logarithm of each token's probability; null for a prompt's first token, which follows nothing.</param>
/// <param name="TopLogprobs">The likeliest tokens at each position; null for a prompt's first token.</param>
/// <param name="TextOffset">Where each token begins in the answer's text, in characters.</param>
internal sealed record TextLogprobs(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<double?> TokenLogprobs,
    IReadOnlyList<IReadOnlyDictionary<string, double>?> TopLogprobs,
    IReadOnlyList<int> TextOffset);
