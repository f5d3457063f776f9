namespace KvTiers.Silo.Turns;

/// <summary>Text of an answer that became certain after its token: it was held back, because it might have been a call.</summary>
/// <param name="Choice">Which answer.</param>
/// <param name="Text">The text; not empty.</param>
internal sealed record AnswerText(int Choice, string Text) : AnswerEvent;
