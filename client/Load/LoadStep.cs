namespace KvTiers.Cli.Load;

/// <summary>One turn of a script.</summary>
/// <param name="Text">What the user says.</param>
/// <param name="Replaces">Which of the user's messages so far it replaces, from 0, with all that came after; null = it is added.</param>
internal readonly record struct LoadStep(string Text, int? Replaces);
