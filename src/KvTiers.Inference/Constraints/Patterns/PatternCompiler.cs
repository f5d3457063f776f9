using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>Regular expressions as rules.</summary>
internal static class PatternCompiler
{
    /// <summary>Adds the rule of the texts that a pattern matches from their first character to their last.</summary>
    /// <exception cref="ConstraintException">The pattern is not well-formed, not supported or too large.</exception>
    public static int Add(AutomatonBuilder builder, string pattern)
    {
        int rule = builder.AddRule("pattern");
        Rule added = builder.Rules[rule];
        IReadOnlyList<(Expression Body, bool IsNegated)> parts = Parts(pattern, isWhole: true);
        if (parts.Count == 1)
            builder.Add(parts[0].Body, added.Start, added.End, Spelling.Plain);
        else
            CharacterDfa.Intersect([.. parts.Select(part => (CharacterDfa.Of(part.Body), part.IsNegated))]).AddTo(builder, added.Start, added.End, Spelling.Plain);
        return rule;
    }

    /// <summary>The sets whose common texts a pattern matches, without anchors. The first is not negated.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="isWhole">True: a text matches as a whole. False: it matches where it holds a match, as in JSON Schema.</param>
    /// <exception cref="ConstraintException">The pattern is not well-formed or not supported.</exception>
    public static IReadOnlyList<(Expression Body, bool IsNegated)> Parts(string pattern, bool isWhole)
    {
        Pattern read = PatternParser.Parse(pattern);
        if (!isWhole && read.Ahead.Count > 0 && !read.IsAheadAnchored)
            throw new ConstraintException($"The pattern '{pattern}' has a lookahead without '^' before it, which is not supported.");
        Expression body = isWhole ? read.Body : Expression.Sequence(Expression.Anything, read.Body, Expression.Anything);
        return
        [
            (AnchorResolver.Resolve(body), false),
            .. read.Ahead.Select(ahead => (AnchorResolver.Resolve(Expression.Sequence(ahead.Beginning, Expression.Anything)), ahead.IsNegated)),
        ];
    }
}
