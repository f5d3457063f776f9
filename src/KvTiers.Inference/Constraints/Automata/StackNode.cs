namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Where a rule returns to: all of its callers at one place of the text. Equal ones are one object.</summary>
/// <param name="id">Order of creation, never used again.</param>
/// <param name="returns">The callers, ascending, each once.</param>
/// <param name="isBottom">True when the whole text may end with the rule.</param>
internal sealed class StackNode(int id, StackItem[] returns, bool isBottom)
{
    public int Id { get; } = id;

    public StackItem[] Returns { get; } = returns;

    public bool IsBottom { get; } = isBottom;

    public long Bytes => 120 + (Returns.Length * 16L);
}
