namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A way from one state to another.</summary>
/// <param name="Kind">What it takes.</param>
/// <param name="Target">The state it leads to.</param>
/// <param name="First">Bytes: the lowest. Call and repeat: the rule. Else 0.</param>
/// <param name="Last">Bytes: the highest. Repeat: how often at least. Else 0.</param>
/// <param name="Max">Repeat: how often at most; <see cref="int.MaxValue"/> = without end. Else 0.</param>
internal readonly record struct Edge(EdgeKind Kind, int Target, int First, int Last, int Max);
