namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Finds the states from which the end of their rule can be reached.</summary>
internal sealed class EndReach
{
    private readonly AutomatonBuilder _builder;
    private readonly IReadOnlyList<byte> _missingBytes;
    private readonly List<(int Source, Edge Edge)>[] _incoming;

    public EndReach(AutomatonBuilder builder, IReadOnlyList<byte> missingBytes)
    {
        _builder = builder;
        _missingBytes = missingBytes;
        _incoming = new List<(int Source, Edge Edge)>[builder.Edges.Count];
        for (int state = 0; state < _incoming.Length; state++)
        {
            foreach (Edge edge in builder.Edges[state])
                (_incoming[edge.Target] ??= []).Add((state, edge));
        }
    }

    /// <summary>[states].</summary>
    /// <param name="throughBytes">True: by any text. False: by the empty one.</param>
    public bool[] Find(bool throughBytes)
    {
        var found = new bool[_incoming.Length];
        var callers = new List<int>[_builder.Rules.Count];
        var ruleOf = _builder.Rules.Select((rule, i) => (rule.Start, i)).ToDictionary();
        var open = new Stack<int>(_builder.Rules.Select(rule => rule.End));
        while (open.TryPop(out int state))
        {
            if (found[state])
                continue;
            found[state] = true;
            if (ruleOf.TryGetValue(state, out int begun))
            {
                foreach (int caller in callers[begun] ?? [])
                    open.Push(caller);
            }

            foreach ((int source, Edge edge) in _incoming[state] ?? [])
            {
                if (edge.Kind == EdgeKind.Empty || (edge.Kind == EdgeKind.Bytes && throughBytes && HasByte(edge)) || (edge.Kind == EdgeKind.Repeat && edge.Last == 0))
                    open.Push(source);
                else if (edge.Kind is EdgeKind.Call or EdgeKind.Repeat && found[_builder.Rules[edge.First].Start])
                    open.Push(source);
                else if (edge.Kind is EdgeKind.Call or EdgeKind.Repeat)
                    (callers[edge.First] ??= []).Add(source);
            }
        }

        return found;
    }

    private bool HasByte(Edge edge) => edge.Last - edge.First + 1 > _missingBytes.Count(missing => edge.First <= missing && missing <= edge.Last);
}
