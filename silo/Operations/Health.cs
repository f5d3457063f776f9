namespace KvTiers.Silo.Operations;

/// <summary>How the server is.</summary>
/// <param name="Status"><c>ok</c>, <c>ready</c> or <c>not_ready</c>.</param>
/// <param name="Reasons">Why it is not ready.</param>
internal sealed record Health(string Status, IReadOnlyList<string> Reasons);
