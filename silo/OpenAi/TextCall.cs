namespace KvTiers.Silo.OpenAi;

/// <summary>A checked text completion request.</summary>
/// <param name="Prompts">The prompts, at least one.</param>
/// <param name="Common">What it shares with chat completions.</param>
/// <param name="MaxTokens">Most tokens to generate; 0 only with an echo.</param>
/// <param name="Echo">Whether the answers begin with their prompt.</param>
internal sealed record TextCall(IReadOnlyList<TextPrompt> Prompts, CompletionCall Common, int MaxTokens, bool Echo);
