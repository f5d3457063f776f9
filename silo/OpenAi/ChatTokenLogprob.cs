namespace KvTiers.Silo.OpenAi;

/// <summary>A token and its log probability.</summary>
/// <param name="Token">The token's text.</param>
/// <param name="Logprob">Natural logarithm of its probability; at least −9999.</param>
/// <param name="Bytes">The token's UTF-8 bytes, which may be part of a character.</param>
/// <param name="TopLogprobs">The likeliest tokens at this position; null in an alternative itself.</param>
internal sealed record ChatTokenLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTokenLogprob>? TopLogprobs = null);
