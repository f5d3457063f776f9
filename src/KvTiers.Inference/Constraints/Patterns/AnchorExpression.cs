using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>Matches the empty text at the beginning (<c>^</c>) or the end (<c>$</c>) of the whole.</summary>
internal sealed record AnchorExpression(bool AtStart) : Expression;
