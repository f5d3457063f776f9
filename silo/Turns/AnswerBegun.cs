namespace KvTiers.Silo.Turns;

/// <summary>A prompt is computed; its answers' tokens follow. Answers that go through a conversation do not say so.</summary>
/// <param name="Prompt">Which prompt.</param>
/// <param name="PromptTokens">Its tokens.</param>
/// <param name="CachedTokens">Those of them that were found in the cache; all others were computed.</param>
internal sealed record AnswerBegun(int Prompt, int PromptTokens, int CachedTokens) : AnswerEvent;
