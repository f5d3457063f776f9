namespace KvTiers.Inference.Tools;

/// <summary>A part of an answer, as soon as it is certain.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Call">Which call of the answer, from 0; 0 for text.</param>
/// <param name="Text">The text, the function's name, or a piece of the arguments; not empty.</param>
public readonly record struct AnswerPart(AnswerPartKind Kind, int Call, string Text);
