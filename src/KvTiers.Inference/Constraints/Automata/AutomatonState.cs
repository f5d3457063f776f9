namespace KvTiers.Inference.Constraints.Automata;

/// <summary>All readings of a text so far. Equal ones are one object until the automaton forgets.</summary>
/// <param name="items">The readings that can take a byte, ascending, each once.</param>
/// <param name="accepts">True when the text may end here.</param>
/// <param name="epoch">How often the automaton had forgotten when it was made.</param>
/// <param name="byteClasses">How many classes of bytes there are.</param>
internal sealed class AutomatonState(StackItem[] items, bool accepts, int epoch, int byteClasses)
{
    public StackItem[] Items { get; } = items;

    public bool Accepts { get; } = accepts;

    public int Epoch { get; } = epoch;

    /// <summary>True when no byte may follow.</summary>
    public bool IsFinal => Items.Length == 0;

    /// <summary>[byte classes]: the state after a byte; null until it is known.</summary>
    public AutomatonState?[] Next { get; } = new AutomatonState?[byteClasses];

    /// <summary>The tokens that may follow; null until it is known.</summary>
    public TokenMask? Mask { get; set; }

    public long Bytes => 120 + (Items.Length * 16L) + (Next.Length * 8L);
}
