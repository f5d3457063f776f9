
namespace KvTiers.Inference.Constraints.Automata;

/// <summary>An expression without calls as states over characters. Repetitions are written out.</summary>
internal sealed class CharacterNfa
{
    private readonly List<List<(CharacterSet? Set, int Target)>> _edges = [];
    private int _edgeCount;

    /// <summary>The states of an expression.</summary>
    /// <exception cref="ConstraintException">There are too many.</exception>
    public CharacterNfa(Expression expression)
    {
        Start = AddState();
        End = AddState();
        Add(expression, Start, End);
    }

    public int Start { get; }

    public int End { get; }

    /// <summary>Edges with a set take one of its characters, those without take nothing.</summary>
    public IReadOnlyList<(CharacterSet? Set, int Target)> EdgesOf(int state) => _edges[state];

    private int AddState()
    {
        _edges.Add([]);
        return _edges.Count - 1;
    }

    private void AddEdge(int from, CharacterSet? set, int to)
    {
        if (++_edgeCount > ConstraintLimits.States)
            throw new ConstraintException($"A pattern is too large: written out it has more than {ConstraintLimits.States} parts.");
        _edges[from].Add((set, to));
    }

    private void Add(Expression expression, int from, int to)
    {
        switch (expression)
        {
            case CharacterExpression character:
                AddEdge(from, character.Set, to);
                break;
            case LiteralExpression literal:
                AddSequence([.. literal.Text.EnumerateRunes().Select(rune => new CharacterExpression(CharacterSet.Of(rune.Value)))], from, to);
                break;
            case SequenceExpression sequence:
                AddSequence(sequence.Parts, from, to);
                break;
            case ChoiceExpression choice:
                foreach (Expression option in choice.Options)
                    Add(option, from, to);
                break;
            case RepeatExpression repeat:
                AddRepeat(repeat, from, to);
                break;
            default:
                throw new ArgumentException($"{expression.GetType().Name} is not a set of characters.", nameof(expression));
        }
    }

    private void AddSequence(IReadOnlyList<Expression> parts, int from, int to)
    {
        foreach (Expression part in parts)
        {
            int next = AddState();
            Add(part, from, next);
            from = next;
        }

        AddEdge(from, null, to);
    }

    private void AddRepeat(RepeatExpression repeat, int from, int to)
    {
        for (int i = 0; i < repeat.Min; i++)
        {
            int next = AddState();
            Add(repeat.Body, from, next);
            from = next;
        }

        for (int i = repeat.Min; i < repeat.Max; i++)
        {
            AddEdge(from, null, to);
            int next = AddState();
            Add(repeat.Body, from, next);
            from = next;
        }

        if (repeat.Max is null)
        {
            int before = AddState();
            int after = AddState();
            AddEdge(from, null, before);
            Add(repeat.Body, before, after);
            AddEdge(after, null, before);
            from = before;
        }

        AddEdge(from, null, to);
    }
}
