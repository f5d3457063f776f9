using System.Text;

namespace KvTiers.Inference.Constraints.Automata;

/// <content>Expressions as states and edges.</content>
internal sealed partial class AutomatonBuilder
{
    /// <summary>Lets every text of an expression lead from one state to the other.</summary>
    /// <param name="expression">What to spell. Its depth is bounded by whoever parsed it.</param>
    /// <param name="from">Where it begins.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="spelling">How its characters stand in bytes.</param>
    public void Add(Expression expression, int from, int to, Spelling spelling)
    {
        switch (expression)
        {
            case CharacterExpression character:
                AddCharacter(from, character.Set, to, spelling);
                break;
            case LiteralExpression literal:
                AddLiteral(literal.Text, from, to, spelling);
                break;
            case CallExpression call:
                AddCall(from, call.Rule, to);
                break;
            case SequenceExpression sequence:
                AddSequence(sequence.Parts, from, to, spelling);
                break;
            case ChoiceExpression choice:
                AddChoice(choice.Options, from, to, spelling);
                break;
            case RepeatExpression repeat:
                AddRepeat(repeat, from, to, spelling);
                break;
            default:
                throw new ArgumentException($"{expression.GetType().Name} has no states of its own.", nameof(expression));
        }
    }

    private void AddLiteral(string text, int from, int to, Spelling spelling)
    {
        int state = from;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int next = AddState();
            AddCharacter(state, CharacterSet.Of(rune.Value), next, spelling);
            state = next;
        }

        AddEmpty(state, to);
    }

    private void AddSequence(IReadOnlyList<Expression> parts, int from, int to, Spelling spelling)
    {
        int state = from;
        for (int i = 0; i < parts.Count; i++)
        {
            int next = i == parts.Count - 1 ? to : AddState();
            Add(parts[i], state, next, spelling);
            state = next;
        }

        if (parts.Count == 0)
            AddEmpty(from, to);
    }

    // Literals share what they begin with, so that a long list is one way through the states and not many side by side.
    private void AddChoice(IReadOnlyList<Expression> options, int from, int to, Spelling spelling)
    {
        var children = new Dictionary<(int State, Rune Rune), int>();
        foreach (Expression option in options)
        {
            if (option is not LiteralExpression literal)
            {
                Add(option, from, to, spelling);
                continue;
            }

            int state = from;
            foreach (Rune rune in literal.Text.EnumerateRunes())
            {
                if (!children.TryGetValue((state, rune), out int next))
                {
                    children[(state, rune)] = next = AddState();
                    AddCharacter(state, CharacterSet.Of(rune.Value), next, spelling);
                }

                state = next;
            }

            AddEmpty(state, to);
        }
    }

    private void AddRepeat(RepeatExpression repeat, int from, int to, Spelling spelling)
    {
        (Expression body, int min, int? max) = repeat;
        if (max == 0)
        {
            AddEmpty(from, to);
        }
        else if (max is null && min <= 1)
        {
            int before = AddState();
            int after = AddState();
            AddEmpty(from, before);
            Add(body, before, after, spelling);
            AddEmpty(after, before);
            AddEmpty(min == 0 ? before : after, to);
        }
        else if (max == 1 || (long)(max ?? min) * Size(body, WrittenOut) <= WrittenOut)
        {
            AddCopies(repeat, from, to, spelling);
        }
        else
        {
            AddRepeat(from, RuleOf(body, spelling), min, max, to);
        }
    }

    private void AddCopies(RepeatExpression repeat, int from, int to, Spelling spelling)
    {
        int state = from;
        for (int i = 0; i < (repeat.Max ?? repeat.Min); i++)
        {
            if (i >= repeat.Min)
                AddEmpty(state, to);
            int next = AddState();
            if (repeat.Max is null && i == repeat.Min - 1)
            {
                int last = AddState();
                AddEmpty(state, last);
                AddEmpty(next, last);
                state = last;
            }

            Add(repeat.Body, state, next, spelling);
            state = next;
        }

        AddEmpty(state, to);
    }

    private int RuleOf(Expression body, Spelling spelling)
    {
        if (_bodies.TryGetValue((body, spelling), out int rule))
            return rule;
        rule = AddRule("a repeated part");
        _bodies[(body, spelling)] = rule;
        Add(body, _rules[rule].Start, _rules[rule].End, spelling);
        return rule;
    }

    // Parts of an expression, up to a limit.
    private static int Size(Expression expression, int limit) => expression switch
    {
        SequenceExpression sequence => Sum(sequence.Parts, limit),
        ChoiceExpression choice => Sum(choice.Options, limit),
        RepeatExpression repeat => (int)Math.Min(limit + 1L, (long)Math.Max(1, repeat.Max ?? repeat.Min) * Size(repeat.Body, limit)),
        LiteralExpression literal => Math.Min(limit + 1, literal.Text.Length),
        CharacterExpression { Set.Ranges: [.., (_, > 0x7F)] } => 4,
        _ => 1,
    };

    private static int Sum(IReadOnlyList<Expression> parts, int limit)
    {
        int sum = 0;
        for (int i = 0; i < parts.Count && sum <= limit; i++)
            sum += Size(parts[i], limit);
        return Math.Min(sum, limit + 1);
    }
}
