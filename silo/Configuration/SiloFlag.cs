namespace KvTiers.Silo.Configuration;

/// <summary>A short command-line flag for one setting: <c>--model DIR</c> sets <c>KvTiers:Model</c>.</summary>
/// <param name="Name">The flag, with its dashes.</param>
/// <param name="Key">The setting's key in the configuration.</param>
/// <param name="Value">What stands for the value in the help.</param>
/// <param name="Help">What the setting does, with its default.</param>
internal sealed record SiloFlag(string Name, string Key, string Value, string Help);
