namespace KvTiers.Sessions.Turns;

/// <summary>A message as <see cref="ContextCutter"/> sees it.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Tokens">Tokens of its part of the prompt.</param>
/// <param name="IsPinned">Whether its turn stays.</param>
public readonly record struct ContextPiece(string Role, int Tokens, bool IsPinned = false);
