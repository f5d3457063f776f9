namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A finished pushdown automaton over bytes. Every way in it leads to an end, so that no reading gets stuck. Immutable.</summary>
/// <remarks>
/// A rule that can be empty is passed over where it is called, and entered for its texts of one byte and more only. No rule calls itself before a byte
/// is read (no left recursion), so the rules that are entered at one place have an order, in which each has all of its callers before it is entered.
/// </remarks>
internal sealed class AutomatonProgram
{
    private readonly Edge[][] _edges;

    private AutomatonProgram(Edge[][] edges, ProgramRule[] rules, int root, bool[] leadsToEndOnly)
    {
        _edges = edges;
        Rules = rules;
        Root = root;
        LeadsToEndOnly = leadsToEndOnly;
        ByteClasses = ClassesOf(edges, out int count);
        ByteClassCount = count;
    }

    public ProgramRule[] Rules { get; }

    /// <summary>The rule that the whole answer is a text of.</summary>
    public int Root { get; }

    /// <summary>[states]: true where nothing is left but the rule's end, so that whoever returns there may return to the caller at once.</summary>
    public bool[] LeadsToEndOnly { get; }

    /// <summary>[256]: bytes that no edge tells apart have one class.</summary>
    public byte[] ByteClasses { get; }

    public int ByteClassCount { get; }

    /// <summary>True when the empty text is one of the root's.</summary>
    public bool AcceptsEmpty => Rules[Root].IsNullable;

    /// <summary>About what it takes.</summary>
    public long Bytes => (_edges.Length * 33L) + _edges.Sum(edges => edges.Length * 20L);

    public ReadOnlySpan<Edge> EdgesOf(int state) => _edges[state];

    /// <summary>Checks and trims what a builder has collected.</summary>
    /// <param name="builder">Rules, states and edges.</param>
    /// <param name="root">The rule that the whole answer is a text of.</param>
    /// <param name="missingBytes">Bytes that no token has: no way may need them.</param>
    /// <exception cref="ConstraintException">No text is allowed, or a rule calls itself before it reads anything.</exception>
    public static AutomatonProgram Build(AutomatonBuilder builder, int root, IReadOnlyList<byte> missingBytes)
    {
        var reach = new EndReach(builder, missingBytes);
        bool[] productive = reach.Find(throughBytes: true);
        if (!productive[builder.Rules[root].Start])
            throw new ConstraintException("The constraint allows no text at all.");
        bool[] nullable = reach.Find(throughBytes: false);
        var isNullable = new bool[builder.Rules.Count];
        for (int rule = 0; rule < isNullable.Length; rule++)
            isNullable[rule] = nullable[builder.Rules[rule].Start];

        var edges = new Edge[builder.Edges.Count][];
        for (int state = 0; state < edges.Length; state++)
            edges[state] = [.. builder.Edges[state].SelectMany(edge => Trim(edge, builder, productive, isNullable, missingBytes))];
        int[] order = new EntryOrder(builder, edges, isNullable).Find(root);
        ProgramRule[] rules = [.. builder.Rules.Select((rule, i) => new ProgramRule(rule.Start, isNullable[i], order[i]))];
        return new AutomatonProgram(edges, rules, root, FindEnds(builder, edges));
    }

    private static IEnumerable<Edge> Trim(Edge edge, AutomatonBuilder builder, bool[] productive, bool[] isNullable, IReadOnlyList<byte> missingBytes)
    {
        bool canRun = edge.Kind is EdgeKind.Empty or EdgeKind.Bytes || productive[builder.Rules[edge.First].Start];
        if (!productive[edge.Target])
            yield break;
        switch (edge.Kind)
        {
            case EdgeKind.Repeat when canRun:
                yield return isNullable[edge.First] ? edge with { Last = 0 } : edge;
                break;
            case EdgeKind.Repeat when edge.Last == 0:
                yield return new Edge(EdgeKind.Empty, edge.Target, 0, 0, 0);
                break;
            case EdgeKind.Bytes:
                int first = edge.First;
                foreach (byte missing in missingBytes.Where(missing => edge.First <= missing && missing <= edge.Last))
                {
                    if (first < missing)
                        yield return edge with { First = first, Last = missing - 1 };
                    first = missing + 1;
                }

                if (first <= edge.Last)
                    yield return edge with { First = first };
                break;
            default:
                if (canRun)
                    yield return edge;
                break;
        }
    }

    private static bool[] FindEnds(AutomatonBuilder builder, Edge[][] edges)
    {
        var ends = new bool[edges.Length];
        var before = new Dictionary<int, List<int>>();
        for (int state = 0; state < edges.Length; state++)
        {
            if (edges[state] is [{ Kind: EdgeKind.Empty, Target: int target }] && target != state)
                (before.TryGetValue(target, out List<int>? sources) ? sources : before[target] = []).Add(state);
        }

        var open = new Stack<int>(builder.Rules.Select(rule => rule.End));
        while (open.TryPop(out int state))
        {
            if (ends[state])
                continue;
            ends[state] = true;
            foreach (int source in before.GetValueOrDefault(state, []))
                open.Push(source);
        }

        return ends;
    }

    private static byte[] ClassesOf(Edge[][] edges, out int count)
    {
        var begins = new bool[257];
        foreach (Edge edge in edges.SelectMany(edge => edge).Where(edge => edge.Kind == EdgeKind.Bytes))
        {
            begins[edge.First] = true;
            begins[edge.Last + 1] = true;
        }

        var classes = new byte[256];
        for (int value = 1; value < 256; value++)
            classes[value] = (byte)(classes[value - 1] + (begins[value] ? 1 : 0));
        count = classes[255] + 1;
        return classes;
    }
}
