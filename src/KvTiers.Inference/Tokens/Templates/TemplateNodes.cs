namespace KvTiers.Inference.Tokens.Templates;

/// <summary>A part of a template's syntax tree.</summary>
/// <param name="Line">Line of the template, from 1.</param>
internal abstract record TemplateNode(int Line);

/// <summary>Something that writes or binds.</summary>
internal abstract record Statement(int Line) : TemplateNode(Line);

internal sealed record DataStatement(int Line, TemplateText Text) : Statement(Line);

internal sealed record PrintStatement(int Line, Expression Value) : Statement(Line);

internal sealed record IfStatement(int Line, Expression Condition, IReadOnlyList<Statement> Then, IReadOnlyList<Statement> Else) : Statement(Line);

internal sealed record ForStatement(
    int Line, IReadOnlyList<string> Targets, Expression Items, Expression? Filter, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else) : Statement(Line);

/// <summary>Assignment to names, or to one attribute of a namespace.</summary>
internal sealed record SetStatement(int Line, IReadOnlyList<string> Targets, string? Attribute, Expression Value) : Statement(Line);

/// <summary>Assignment of what a body writes.</summary>
internal sealed record SetBlockStatement(int Line, string Target, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record MacroStatement(
    int Line, string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary><c>generation</c>: marks the assistant's text for training; here it writes its body.</summary>
internal sealed record BodyStatement(int Line, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record BreakStatement(int Line) : Statement(Line);

internal sealed record ContinueStatement(int Line) : Statement(Line);

/// <summary>Something with a value.</summary>
internal abstract record Expression(int Line) : TemplateNode(Line);

internal sealed record LiteralExpression(int Line, object? Value) : Expression(Line);

internal sealed record NameExpression(int Line, string Name) : Expression(Line);

internal sealed record ListExpression(int Line, IReadOnlyList<Expression> Items) : Expression(Line);

internal sealed record MapExpression(int Line, IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression(Line);

internal sealed record AttributeExpression(int Line, Expression Target, string Name) : Expression(Line);

internal sealed record IndexExpression(int Line, Expression Target, Expression Index) : Expression(Line);

internal sealed record SliceExpression(int Line, Expression Target, Expression? Start, Expression? End, Expression? Step) : Expression(Line);

/// <summary>The arguments of a call, filter or test.</summary>
internal sealed record CallArguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static readonly CallArguments None = new([], []);
}

internal sealed record CallExpression(int Line, Expression Target, CallArguments Arguments) : Expression(Line);

internal sealed record FilterExpression(int Line, Expression Value, string Name, CallArguments Arguments) : Expression(Line);

internal sealed record TestExpression(int Line, Expression Value, string Name, CallArguments Arguments, bool Negated) : Expression(Line);

internal sealed record UnaryExpression(int Line, string Operator, Expression Value) : Expression(Line);

internal sealed record BinaryExpression(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

/// <summary><c>a &lt; b &lt;= c</c>: every neighbouring pair holds.</summary>
internal sealed record CompareExpression(int Line, Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression(Line);

internal sealed record ConditionalExpression(int Line, Expression Condition, Expression Then, Expression? Else) : Expression(Line);
