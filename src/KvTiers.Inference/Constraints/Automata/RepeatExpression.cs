namespace KvTiers.Inference.Constraints.Automata;

/// <summary>So many times, without end where <paramref name="Max"/> is null.</summary>
internal sealed record RepeatExpression(Expression Body, int Min, int? Max) : Expression;
