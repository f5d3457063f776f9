namespace KvTiers.Inference.Model;

/// <summary>Rotary positions of a layer: element i of a head's first <paramref name="Dim"/> turns with element i + Dim / 2; the others stay.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="Dim">Elements that turn: even, at most a head's.</param>
/// <param name="Scaling">How the frequencies are stretched, or <see langword="null"/> for not at all.</param>
public sealed record RotaryConfig(double Theta, int Dim, RopeScaling? Scaling = null);
