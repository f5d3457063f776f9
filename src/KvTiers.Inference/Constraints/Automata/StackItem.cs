namespace KvTiers.Inference.Constraints.Automata;

/// <summary>One reading of a text so far.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="Count">At a <see cref="EdgeKind.Repeat"/>: how many there were. Else 0.</param>
/// <param name="Stack">Where its rule returns to.</param>
internal readonly record struct StackItem(int State, int Count, StackNode Stack) : IComparable<StackItem>
{
    public int CompareTo(StackItem other)
    {
        int order = State.CompareTo(other.State);
        if (order == 0)
            order = Count.CompareTo(other.Count);
        return order != 0 ? order : Stack.Id.CompareTo(other.Stack.Id);
    }
}
