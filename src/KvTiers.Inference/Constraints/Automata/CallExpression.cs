namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A text of a rule of the builder.</summary>
internal sealed record CallExpression(int Rule) : Expression;
