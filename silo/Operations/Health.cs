namespace KvTiers.Silo.Operations;

/// <summary>How the server is.</summary>
/// <param name="Status"><c>ok</c>, <c>ready</c>, <c>degraded</c> (it takes turns, and computes more than it would) or <c>not_ready</c>.</param>
/// <param name="Reasons">Why it is degraded or not ready.</param>
internal sealed record Health(string Status, IReadOnlyList<string> Reasons);
