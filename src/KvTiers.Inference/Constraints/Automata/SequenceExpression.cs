namespace KvTiers.Inference.Constraints.Automata;

/// <summary>One after the other.</summary>
internal sealed record SequenceExpression(IReadOnlyList<Expression> Parts) : Expression;
