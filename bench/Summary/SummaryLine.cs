namespace KvTiers.Bench.Summary;

/// <summary>One figure of the summary.</summary>
/// <param name="Figure">What was measured.</param>
/// <param name="Measured">The figure, with its unit.</param>
/// <param name="Beside">The limit or baseline of the same run, with its unit.</param>
/// <param name="Fraction">The one over the other.</param>
internal sealed record SummaryLine(string Figure, string Measured, string Beside, string Fraction);
