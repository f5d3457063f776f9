namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A rule of an <see cref="AutomatonProgram"/>.</summary>
/// <param name="Start">The state it begins in.</param>
/// <param name="IsNullable">True when the empty text is one of its own.</param>
/// <param name="Order">Its place in the order of entry.</param>
internal readonly record struct ProgramRule(int Start, bool IsNullable, int Order);
