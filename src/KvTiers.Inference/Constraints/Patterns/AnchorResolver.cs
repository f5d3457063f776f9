using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>Turns an expression with anchors into one without: an anchor is the empty text where it can hold, and nothing elsewhere.</summary>
/// <remarks>
/// In a sequence A B at the beginning, B stands at the beginning only where A is empty: A B' or, if A can be empty, B, where B' is B in the middle. Where B
/// has no anchor of that side, B' is B, and the first holds the second. The end mirrors it.
/// </remarks>
internal sealed class AnchorResolver
{
    private readonly Dictionary<(Expression Body, Spelling Spelling), (bool Start, bool End)> _anchors = new(BodyComparer.Instance);
    private int _steps;

    /// <summary>The texts that match from their first character to their last.</summary>
    /// <exception cref="ConstraintException">Anchors stand in more ways than can be told apart.</exception>
    public static Expression Resolve(Expression expression) => new AnchorResolver().Resolve(expression, true, true);

    private Expression Resolve(Expression expression, bool atStart, bool atEnd)
    {
        if (++_steps > ConstraintLimits.DeterminiseSteps)
            throw new ConstraintException("The pattern has anchors in too many places.");
        if (AnchorsOf(expression) is (false, false))
            return expression;
        return expression switch
        {
            AnchorExpression anchor => (anchor.AtStart ? atStart : atEnd) ? Expression.Empty : Expression.Nothing,
            ChoiceExpression choice => Expression.Choice([.. choice.Options.Select(option => Resolve(option, atStart, atEnd))]),
            SequenceExpression sequence => ResolveSequence(sequence.Parts, 0, atStart, atEnd),
            RepeatExpression repeat => ResolveRepeat(repeat, atStart, atEnd),
            _ => expression,
        };
    }

    private Expression ResolveSequence(IReadOnlyList<Expression> parts, int first, bool atStart, bool atEnd)
    {
        if (first == parts.Count)
            return Expression.Empty;
        if (first == parts.Count - 1)
            return Resolve(parts[first], atStart, atEnd);
        Expression head = Resolve(parts[first], atStart, false);
        Expression middle = ResolveSequence(parts, first + 1, false, atEnd);
        var options = new List<Expression> { Join(head, middle) };
        bool restHasStart = false;
        for (int i = first + 1; i < parts.Count; i++)
            restHasStart |= AnchorsOf(parts[i]).Start;
        if (atStart && restHasStart && CanBeEmpty(head))
            options.Add(ResolveSequence(parts, first + 1, true, atEnd));
        if (atEnd && AnchorsOf(parts[first]).End)
        {
            Expression last = Resolve(parts[first], atStart, true);
            if (CanBeEmpty(middle))
                options.Add(last);
            else if (atStart && CanBeEmpty(last) && CanBeEmpty(ResolveSequence(parts, first + 1, true, true)))
                options.Add(Expression.Empty);
        }

        return Expression.Choice([.. options.Where(option => option is not ChoiceExpression { Options.Count: 0 })]);
    }

    // The first turn may stand at the beginning, and the last at the end.
    private Expression ResolveRepeat(RepeatExpression repeat, bool atStart, bool atEnd)
    {
        (Expression body, int min, int? max) = repeat;
        var options = new List<Expression>();
        if (min == 0)
            options.Add(Expression.Empty);
        if (max == 0)
            return Expression.Empty;
        Expression whole = Resolve(body, atStart, atEnd);
        if (min <= 1 || CanBeEmpty(whole))
            options.Add(whole);
        if (max is null or >= 2)
        {
            Expression between = Expression.Repeat(Resolve(body, false, false), Math.Max(0, min - 2), max - 2);
            options.Add(Join(Resolve(body, atStart, false), between, Resolve(body, false, atEnd)));
        }

        return Expression.Choice(options);
    }

    private static Expression Join(params IReadOnlyList<Expression> parts) =>
        parts.Any(part => part is ChoiceExpression { Options.Count: 0 }) ? Expression.Nothing : Expression.Sequence(parts);

    private (bool Start, bool End) AnchorsOf(Expression expression)
    {
        if (_anchors.TryGetValue((expression, default), out (bool Start, bool End) known))
            return known;
        IReadOnlyList<Expression> parts = expression switch
        {
            SequenceExpression sequence => sequence.Parts,
            ChoiceExpression choice => choice.Options,
            RepeatExpression repeat => [repeat.Body],
            _ => [],
        };
        (bool start, bool end) = expression is AnchorExpression anchor ? (anchor.AtStart, !anchor.AtStart) : (false, false);
        foreach (Expression part in parts)
        {
            (bool hasStart, bool hasEnd) = AnchorsOf(part);
            (start, end) = (start | hasStart, end | hasEnd);
        }

        return _anchors[(expression, default)] = (start, end);
    }

    private static bool CanBeEmpty(Expression expression) => expression switch
    {
        LiteralExpression literal => literal.Text.Length == 0,
        SequenceExpression sequence => sequence.Parts.All(CanBeEmpty),
        ChoiceExpression choice => choice.Options.Any(CanBeEmpty),
        RepeatExpression repeat => repeat.Min == 0 || CanBeEmpty(repeat.Body),
        _ => false,
    };
}
