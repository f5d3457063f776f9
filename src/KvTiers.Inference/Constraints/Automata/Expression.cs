namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A set of texts, in terms of characters and calls of rules. How characters are spelled in bytes is for <see cref="Spelling"/>.</summary>
internal abstract record Expression
{
    /// <summary>The empty text.</summary>
    public static Expression Empty { get; } = new SequenceExpression([]);

    /// <summary>No text at all.</summary>
    public static Expression Nothing { get; } = new ChoiceExpression([]);

    /// <summary>Any text.</summary>
    public static Expression Anything { get; } = new RepeatExpression(new CharacterExpression(CharacterSet.All), 0, null);

    public static Expression Literal(string text) => new LiteralExpression(text);

    public static Expression Sequence(params IReadOnlyList<Expression> parts) => parts.Count == 1 ? parts[0] : new SequenceExpression(parts);

    public static Expression Choice(params IReadOnlyList<Expression> options) => options.Count == 1 ? options[0] : new ChoiceExpression(options);

    public static Expression Repeat(Expression body, int min, int? max) => new RepeatExpression(body, min, max);

    public static Expression Optional(Expression body) => new RepeatExpression(body, 0, 1);

    public static Expression Range(char first, char last) => new CharacterExpression(CharacterSet.Of((first, last)));
}
