namespace KvTiers.Cli.Size;

/// <summary>What decides how much memory the K and V of a token take.</summary>
/// <param name="Layers">Transformer layers, 1–1,000.</param>
/// <param name="KvHeads">KV heads of a layer, 1–1,024.</param>
/// <param name="HeadDim">Numbers in one head's K (and V), 1–4,096.</param>
/// <param name="Element">Storage of one number.</param>
/// <param name="Window">Tokens that are kept when every layer attends to a sliding window; <see langword="null"/> keeps all.</param>
internal sealed record KvShape(int Layers, int KvHeads, int HeadDim, ElementType Element, int? Window = null)
{
    /// <summary>2 (K and V) × layers × KV heads × head dimension × bytes of one number.</summary>
    public decimal BytesPerToken => 2m * Layers * KvHeads * HeadDim * Element.Bits / 8;

    /// <summary>Bytes that a sequence of this many tokens holds.</summary>
    public decimal BytesFor(long tokens) => BytesPerToken * (Window is { } window ? Math.Min(tokens, window) : tokens);
}
