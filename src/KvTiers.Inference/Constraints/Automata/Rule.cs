namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A part of the automaton that others call: from its start to its end, which no edge leaves.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Start">The state it begins in.</param>
/// <param name="End">The state it ends in.</param>
internal sealed record Rule(string Name, int Start, int End);
