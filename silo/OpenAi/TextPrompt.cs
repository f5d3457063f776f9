namespace KvTiers.Silo.OpenAi;

/// <summary>One prompt of a text completion.</summary>
/// <param name="Ids">Its tokens, at least one.</param>
/// <param name="Text">Its text, as an echo shows it.</param>
internal sealed record TextPrompt(int[] Ids, string Text);
