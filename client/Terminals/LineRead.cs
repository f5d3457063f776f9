namespace KvTiers.Cli.Terminals;

/// <summary>A line, or why there is none.</summary>
internal readonly record struct LineRead(LineEnd End, string Text = "");
