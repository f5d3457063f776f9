namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Compares sorted items, and a mark beside them.</summary>
internal sealed class ItemsComparer : IEqualityComparer<(StackItem[] Items, bool Mark)>
{
    public static ItemsComparer Instance { get; } = new();

    public bool Equals((StackItem[] Items, bool Mark) x, (StackItem[] Items, bool Mark) y) => x.Mark == y.Mark && x.Items.AsSpan().SequenceEqual(y.Items);

    public int GetHashCode((StackItem[] Items, bool Mark) key)
    {
        var hash = new HashCode();
        hash.Add(key.Mark);
        foreach (StackItem item in key.Items)
        {
            hash.Add(item.State);
            hash.Add(item.Count);
            hash.Add(item.Stack.Id);
        }

        return hash.ToHashCode();
    }
}
