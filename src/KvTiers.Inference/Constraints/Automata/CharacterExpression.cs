namespace KvTiers.Inference.Constraints.Automata;

/// <summary>One character of a set.</summary>
internal sealed record CharacterExpression(CharacterSet Set) : Expression;
