namespace KvTiers.Inference.Model;

/// <summary>What may differ from layer to layer.</summary>
/// <param name="Window">A token attends to this many tokens, itself included; <see langword="null"/> for all.</param>
/// <param name="Rotary">Its rotary positions; <see langword="null"/> for none.</param>
/// <param name="HasExperts">Its feed-forward layer is <see cref="ModelConfig.Experts"/>.</param>
public sealed record LayerConfig(int? Window = null, RotaryConfig? Rotary = null, bool HasExperts = false);
