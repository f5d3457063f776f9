namespace KvTiers.Inference.Constraints.Automata;

/// <summary>This text.</summary>
internal sealed record LiteralExpression(string Text) : Expression;
