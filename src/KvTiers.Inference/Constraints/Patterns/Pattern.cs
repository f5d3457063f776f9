using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>A regular expression that was read.</summary>
/// <param name="Body">What it matches; with anchors still in it.</param>
/// <param name="Ahead">What the whole text must, or must not, begin with: lookaheads at the pattern's beginning.</param>
/// <param name="IsAheadAnchored">True when a <c>^</c> stands before the lookaheads.</param>
internal sealed record Pattern(Expression Body, IReadOnlyList<(Expression Beginning, bool IsNegated)> Ahead, bool IsAheadAnchored);
