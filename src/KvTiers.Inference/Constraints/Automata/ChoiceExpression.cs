namespace KvTiers.Inference.Constraints.Automata;

/// <summary>One of them.</summary>
internal sealed record ChoiceExpression(IReadOnlyList<Expression> Options) : Expression;
