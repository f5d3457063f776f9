namespace KvTiers.Cli.Terminals;

/// <summary>One key, or a text that was pasted.</summary>
/// <param name="Key">The key; of no meaning when <paramref name="Pasted"/> is given.</param>
/// <param name="Pasted">The text, its lines separated by <c>\n</c>; <see langword="null"/> for a key.</param>
internal readonly record struct KeyOrPaste(ConsoleKeyInfo Key, string? Pasted = null);
