namespace KvTiers.Silo.Anthropic;

/// <summary>Answer of <c>POST /v1/messages/count_tokens</c>.</summary>
/// <param name="InputTokens">Tokens of the whole prompt, with all that the chat template writes.</param>
internal sealed record TokenCount(int InputTokens);
