namespace KvTiers.Silo.Turns;

/// <summary>A piece of a call's arguments. All pieces of a call, joined, are the text of a JSON object, unless the answer was cut off.</summary>
/// <param name="Choice">Which answer.</param>
/// <param name="Index">Which call of the answer, from 0: the one begun last.</param>
/// <param name="Text">The piece; not empty.</param>
internal sealed record AnswerToolArguments(int Choice, int Index, string Text) : AnswerEvent;
