namespace KvTiers.Cli.Size;

/// <summary>One way to hold the same tokens, and what it takes.</summary>
/// <param name="Name">How it differs from the shape asked about.</param>
/// <param name="Shape">The shape after the change.</param>
/// <param name="Bytes">What the asked number of tokens takes.</param>
/// <param name="Ratio">Bytes of the shape asked about over these bytes: above 1 it saves.</param>
internal sealed record SizeVariant(string Name, KvShape Shape, decimal Bytes, decimal Ratio);
