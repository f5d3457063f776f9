namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Collects rules, states and edges. Counts that are large stay counters, so that the size does not depend on them.</summary>
internal sealed partial class AutomatonBuilder
{
    // Repetitions up to so many parts are written out; above, they are counted.
    private const int WrittenOut = 64;

    private readonly List<List<Edge>> _edges = [];
    private readonly List<Rule> _rules = [];
    private readonly Dictionary<(int Target, int Length, ulong Ranges), int> _tails = [];
    private readonly Dictionary<(Expression Body, Spelling Spelling), int> _bodies = new(BodyComparer.Instance);
    private int _edgeCount;

    public IReadOnlyList<IReadOnlyList<Edge>> Edges => _edges;

    public IReadOnlyList<Rule> Rules => _rules;

    /// <exception cref="ConstraintException">There are too many.</exception>
    public int AddState()
    {
        if (_edges.Count == ConstraintLimits.States)
            throw TooLarge($"{ConstraintLimits.States} states");
        _edges.Add([]);
        return _edges.Count - 1;
    }

    /// <summary>A rule without edges.</summary>
    public int AddRule(string name)
    {
        _rules.Add(new Rule(name, AddState(), AddState()));
        return _rules.Count - 1;
    }

    public void AddEmpty(int from, int to) => Add(from, new Edge(EdgeKind.Empty, to, 0, 0, 0));

    public void AddBytes(int from, int first, int last, int to) => Add(from, new Edge(EdgeKind.Bytes, to, first, last, 0));

    public void AddCall(int from, int rule, int to) => Add(from, new Edge(EdgeKind.Call, to, rule, 0, 0));

    /// <summary>Texts of a rule, <paramref name="min"/> to <paramref name="max"/> of them; null = without end.</summary>
    public void AddRepeat(int from, int rule, int min, int? max, int to)
    {
        if (max == 0)
        {
            AddEmpty(from, to);
            return;
        }

        int turn = AddState();
        AddEmpty(from, turn);
        if (max is null && min <= 1)
        {
            int after = min == 0 ? turn : AddState();
            AddCall(turn, rule, after);
            if (min == 1)
                AddEmpty(after, turn);
            AddEmpty(after, to);
        }
        else
        {
            Add(turn, new Edge(EdgeKind.Repeat, to, rule, min, max ?? int.MaxValue));
        }
    }

    /// <summary>A text, spelled.</summary>
    public void AddText(int from, string text, int to, Spelling spelling = Spelling.Plain) => Add(new LiteralExpression(text), from, to, spelling);

    /// <summary>One character of a set, spelled.</summary>
    public void AddCharacter(int from, CharacterSet set, int to, Spelling spelling)
    {
        if (spelling == Spelling.Plain)
            AddUtf8(from, set, to);
        else
            AddJsonCharacter(from, set, to, anyEscape: spelling == Spelling.JsonAny);
    }

    private void Add(int from, Edge edge)
    {
        if (++_edgeCount > ConstraintLimits.Edges)
            throw TooLarge($"{ConstraintLimits.Edges} edges");
        _edges[from].Add(edge);
    }

    private static ConstraintException TooLarge(string limit) =>
        new($"The constraint is too large: its automaton has more than {limit}.");
}
