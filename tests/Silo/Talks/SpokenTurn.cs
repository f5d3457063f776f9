namespace KvTiers.Silo.Tests.Talks;

/// <summary>A turn that a server has stored.</summary>
/// <param name="Text">What was said.</param>
/// <param name="Seed">Of the answer's draws.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Tokens">Each token's event as it came, with its log probability; null when the server died before it could tell.</param>
internal sealed record SpokenTurn(string Text, int Seed, string Answer, IReadOnlyList<string>? Tokens);
