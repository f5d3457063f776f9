namespace KvTiers.Silo.Turns;

/// <summary>A token whose text is part of the answer.</summary>
/// <param name="Token">The token.</param>
/// <param name="TextLength">Characters that it added to the text, those of a stop string that was cut from it included.</param>
internal readonly record struct CertainToken(AnswerToken Token, int TextLength);
