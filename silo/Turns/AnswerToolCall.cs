namespace KvTiers.Silo.Turns;

/// <summary>An answer begins a call of a function; its arguments follow as <see cref="AnswerToolArguments"/>.</summary>
/// <param name="Choice">Which answer.</param>
/// <param name="Index">Which call of the answer, from 0. The one before it is complete.</param>
/// <param name="Id">Names the call.</param>
/// <param name="Name">The function's name, one of those that were given.</param>
internal sealed record AnswerToolCall(int Choice, int Index, string Id, string Name) : AnswerEvent;
