using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Constraints.Schemas;

namespace KvTiers.Inference.Constraints.Grammars;

/// <summary>Grammars in GBNF as rules of an automaton.</summary>
internal static class GrammarCompiler
{
    /// <summary>Adds a grammar; its root is the rule <c>root</c>, or <c>start</c> where there is none.</summary>
    /// <exception cref="ConstraintException">The grammar is not well-formed, names a rule that it does not have, or asks for what is not supported.</exception>
    public static int Add(AutomatonBuilder builder, string text)
    {
        var schemas = new SchemaCompiler(builder);
        var parser = new GrammarParser(builder, text, schemas.AddNested);
        IReadOnlyDictionary<string, (int Rule, Expression? Body)> rules = parser.Parse();
        foreach ((string name, (int rule, Expression? body)) in rules)
        {
            if (body is null)
                throw new ConstraintException($"The grammar names the rule '{name}' and does not define it.");
            builder.Add(WithoutLeftRecursion(rule, body), builder.Rules[rule].Start, builder.Rules[rule].End, Spelling.Plain);
        }

        if (rules.TryGetValue("root", out (int Rule, Expression? Body) root) || rules.TryGetValue("start", out root))
            return root.Rule;
        throw new ConstraintException("The grammar has no rule 'root' (or 'start') to begin with.");
    }

    // A rule r = r a | b is b a*. What begins with itself by way of other rules is refused later.
    private static Expression WithoutLeftRecursion(int rule, Expression body)
    {
        IReadOnlyList<Expression> options = body is ChoiceExpression choice ? choice.Options : [body];
        List<Expression> first = [.. options.Where(option => !BeginsWith(option, rule))];
        List<Expression> rest = [.. options.Where(option => BeginsWith(option, rule))
            .Select(option => option is SequenceExpression sequence ? Expression.Sequence([.. sequence.Parts.Skip(1)]) : Expression.Empty)];
        return rest.Count == 0 ? body : Expression.Sequence(Expression.Choice(first), Expression.Repeat(Expression.Choice(rest), 0, null));
    }

    private static bool BeginsWith(Expression option, int rule) => option switch
    {
        CallExpression call => call.Rule == rule,
        SequenceExpression { Parts: [CallExpression call, ..] } => call.Rule == rule,
        _ => false,
    };
}
