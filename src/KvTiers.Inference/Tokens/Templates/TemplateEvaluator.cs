namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Runs a template's syntax tree once. Bounded: in steps, in the length of texts and lists, in the depth of macro calls.</summary>
internal sealed class TemplateEvaluator
{
    private const int MaxSteps = 20_000_000;
    private const int MaxCallDepth = 50;

    private readonly TemplateTextBuilder _root = new();
    private readonly List<Dictionary<string, object?>> _scopes = [];
    private readonly int?[] _messageStarts;
    private readonly int?[] _messageEnds;
    private TemplateTextBuilder _output;
    private int _steps;
    private int _line;
    private int _callDepth;

    /// <param name="variables">What the template can read.</param>
    /// <param name="messageCount">Messages, whose places in the output are noted.</param>
    /// <param name="now">What <c>strftime_now</c> writes.</param>
    public TemplateEvaluator(IReadOnlyDictionary<string, object?> variables, int messageCount, DateTimeOffset now)
    {
        _output = _root;
        _messageStarts = new int?[messageCount];
        _messageEnds = new int?[messageCount];
        var globals = new Dictionary<string, object?>(variables, StringComparer.Ordinal)
        {
            ["raise_exception"] = (TemplateFunction)((positional, _) =>
                throw new TemplateException(_line, positional is [TemplateText message, ..] ? message.Value : "the template refused the messages") { IsRefusal = true }),
            ["strftime_now"] = (TemplateFunction)((positional, named) =>
                TemplateText.Plain(TemplateClock.Format(now, new TemplateArguments("strftime_now", positional, named).Text(0, "format").Value))),
            ["namespace"] = (TemplateFunction)((positional, named) => TemplateFunctions.Namespace(positional, named)),
            ["dict"] = (TemplateFunction)((_, named) => TemplateFunctions.Map(named)),
            ["range"] = (TemplateFunction)((positional, named) => TemplateFunctions.Range(new TemplateArguments("range", positional, named), positional.Count)),
        };
        _scopes.Add(globals);
        _scopes.Add(new Dictionary<string, object?>(StringComparer.Ordinal));
    }

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>First output of each message that a loop over the messages wrote; <c>null</c> where none did.</summary>
    public IReadOnlyList<int?> MessageStarts => _messageStarts;

    /// <summary>Last output of each message that a loop over the messages wrote; <c>null</c> where none did.</summary>
    public IReadOnlyList<int?> MessageEnds => _messageEnds;

    /// <exception cref="TemplateException">The template refused, does what is not supported, or went out of bounds.</exception>
    public TemplateText Run(IReadOnlyList<Statement> body)
    {
        try
        {
            Execute(body);
            return _root.ToText();
        }
        catch (TemplateException e) when (e.Line == 0)
        {
            throw new TemplateException(_line, e.Reason, e);
        }
    }

    private Flow Execute(IReadOnlyList<Statement> body)
    {
        foreach (Statement statement in body)
        {
            Flow flow = Execute(statement);
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }

    private Flow Execute(Statement statement)
    {
        Step(statement);
        switch (statement)
        {
            case DataStatement data:
                _output.Append(data.Text);
                return Flow.Next;
            case PrintStatement print:
                Print(print.Value);
                return Flow.Next;
            case IfStatement branch:
                return Execute(TemplateOperations.IsTrue(Evaluate(branch.Condition)) ? branch.Then : branch.Else);
            case ForStatement loop:
                return Loop(loop);
            case SetStatement set:
                Assign(set);
                return Flow.Next;
            case SetBlockStatement set:
                _scopes[^1][set.Target] = Capture(set.Body);
                return Flow.Next;
            case MacroStatement macro:
                _scopes[^1][macro.Name] = (TemplateFunction)((positional, named) => CallMacro(macro, positional, named));
                return Flow.Next;
            case BodyStatement inner:
                return Execute(inner.Body);
            case BreakStatement:
                return Flow.Break;
            case ContinueStatement:
                return Flow.Continue;
            default:
                throw new TemplateException(statement.Line, "this statement is not supported");
        }
    }

    // What is joined only to be written is written part by part: templates write a message as a sum of five or six texts, its content among them.
    private void Print(Expression value)
    {
        object? result = value is BinaryExpression { Operator: "+" } sum ? Sum(sum) : Evaluate(value);
        if (result is List<TemplateText> parts)
            parts.ForEach(_output.Append);
        else
            _output.Append(TemplateOperations.ToText(result));
    }

    /// <summary>The value of a sum; of a sum of texts, its parts.</summary>
    private object? Sum(BinaryExpression sum)
    {
        Step(sum);
        object? left = sum.Left is BinaryExpression { Operator: "+" } inner ? Sum(inner) : Evaluate(sum.Left);
        object? right = Evaluate(sum.Right);
        if (right is TemplateText last && left is List<TemplateText> or TemplateText)
        {
            List<TemplateText> parts = left as List<TemplateText> ?? [(TemplateText)left!];
            parts.Add(last);
            return parts;
        }

        return TemplateOperations.Binary("+", left is List<TemplateText> texts ? TemplateText.Join(texts) : left, right);
    }

    private Flow Loop(ForStatement loop)
    {
        List<object?> items = [.. TemplateOperations.Items(Evaluate(loop.Items))];
        if (loop.Filter is not null)
            items = items.FindAll(item => InScope(scope => { Bind(scope, loop.Targets, item); return TemplateOperations.IsTrue(Evaluate(loop.Filter)); }));
        if (items.Count == 0)
            return Execute(loop.Else);

        var state = new TemplateLoop(items);
        for (int i = 0; i < items.Count; i++)
        {
            state.Index = i;
            int before = _output.Length;
            Flow flow = InScope(scope =>
            {
                Bind(scope, loop.Targets, items[i]);
                scope["loop"] = state;
                return Execute(loop.Body);
            });
            if (items[i] is TemplateMap { MessageIndex: { } message } && ReferenceEquals(_output, _root) && _output.Length > before)
            {
                _messageStarts[message] ??= before;
                _messageEnds[message] = _output.Length;
            }

            if (flow == Flow.Break)
                break;
        }

        return Flow.Next;
    }

    private T InScope<T>(Func<Dictionary<string, object?>, T> run)
    {
        var scope = new Dictionary<string, object?>(StringComparer.Ordinal);
        _scopes.Add(scope);
        try
        {
            return run(scope);
        }
        finally
        {
            _scopes.RemoveAt(_scopes.Count - 1);
        }
    }

    private static void Bind(Dictionary<string, object?> scope, IReadOnlyList<string> targets, object? value)
    {
        if (targets.Count == 1)
        {
            scope[targets[0]] = value;
            return;
        }

        List<object?> items = TemplateOperations.Items(value);
        if (items.Count != targets.Count)
            throw new TemplateException(0, $"{items.Count} values cannot be bound to {targets.Count} names");
        for (int i = 0; i < targets.Count; i++)
            scope[targets[i]] = items[i];
    }

    private void Assign(SetStatement set)
    {
        object? value = Evaluate(set.Value);
        if (set.Attribute is null)
        {
            Bind(_scopes[^1], set.Targets, value);
            return;
        }

        TemplateNamespace space = Lookup(set.Targets[0]) as TemplateNamespace
            ?? throw new TemplateException(set.Line, $"'{set.Targets[0]}' is not a namespace, so its attribute cannot be set");
        space.Attributes[set.Attribute] = value;
    }

    private TemplateText Capture(IReadOnlyList<Statement> body)
    {
        TemplateTextBuilder outer = _output;
        _output = new TemplateTextBuilder();
        try
        {
            Execute(body);
            return _output.ToText();
        }
        finally
        {
            _output = outer;
        }
    }

    private TemplateText CallMacro(MacroStatement macro, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        if (++_callDepth > MaxCallDepth)
            throw new TemplateException(macro.Line, $"macros call each other more than {MaxCallDepth} deep");
        var arguments = new TemplateArguments($"the macro '{macro.Name}'", positional, named);
        // A macro sees the template's own names, not its caller's.
        List<Dictionary<string, object?>> callers = _scopes.GetRange(2, _scopes.Count - 2);
        _scopes.RemoveRange(2, _scopes.Count - 2);
        try
        {
            return InScope(scope =>
            {
                for (int i = 0; i < macro.Parameters.Count; i++)
                {
                    (string name, Expression? fallback) = macro.Parameters[i];
                    bool given = arguments.Has(i, name);
                    object? value = arguments.Any(i, name);
                    scope[name] = given ? value : fallback is null ? new TemplateUndefined(name) : Evaluate(fallback);
                }

                arguments.Complete();
                return Capture(macro.Body);
            });
        }
        finally
        {
            _scopes.AddRange(callers);
            _callDepth--;
        }
    }

    private object? Evaluate(Expression expression)
    {
        Step(expression);
        switch (expression)
        {
            case LiteralExpression literal:
                return literal.Value;
            case NameExpression name:
                return Lookup(name.Name);
            case ListExpression list:
                return list.Items.Select(Evaluate).ToList();
            case MapExpression map:
                return Map(map);
            case AttributeExpression attribute:
                return Attribute(Evaluate(attribute.Target), attribute.Name);
            case IndexExpression index:
                return TemplateOperations.Index(Evaluate(index.Target), Evaluate(index.Index));
            case SliceExpression slice:
                return TemplateOperations.Slice(Evaluate(slice.Target), Bound(slice.Start), Bound(slice.End), Bound(slice.Step) ?? 1);
            case CallExpression call:
                return Call(call);
            case FilterExpression filter:
                object? filtered = Evaluate(filter.Value);
                return TemplateFilters.Apply(filter.Name, filtered, Positional(filter.Arguments), Named(filter.Arguments));
            case TestExpression test:
                object? tested = Evaluate(test.Value);
                return TemplateTests.Holds(test.Name, tested, Positional(test.Arguments)) != test.Negated;
            case UnaryExpression { Operator: "not" } unary:
                return !TemplateOperations.IsTrue(Evaluate(unary.Value));
            case UnaryExpression unary:
                object? operand = Evaluate(unary.Value);
                return unary.Operator == "-" ? TemplateOperations.Negate(operand) : operand;
            case BinaryExpression { Operator: "and" } both:
                object? first = Evaluate(both.Left);
                return TemplateOperations.IsTrue(first) ? Evaluate(both.Right) : first;
            case BinaryExpression { Operator: "or" } either:
                object? left = Evaluate(either.Left);
                return TemplateOperations.IsTrue(left) ? left : Evaluate(either.Right);
            case BinaryExpression binary:
                return TemplateOperations.Binary(binary.Operator, Evaluate(binary.Left), Evaluate(binary.Right));
            case CompareExpression comparison:
                return Compare(comparison);
            case ConditionalExpression conditional:
                return TemplateOperations.IsTrue(Evaluate(conditional.Condition)) ? Evaluate(conditional.Then)
                    : conditional.Else is null ? new TemplateUndefined("else") : Evaluate(conditional.Else);
            default:
                throw new TemplateException(expression.Line, "this expression is not supported");
        }
    }

    private bool Compare(CompareExpression comparison)
    {
        object? left = Evaluate(comparison.First);
        foreach ((string symbol, Expression operand) in comparison.Rest)
        {
            object? right = Evaluate(operand);
            if (!TemplateOperations.Compare(symbol, left, right))
                return false;
            left = right;
        }

        return true;
    }

    private TemplateMap Map(MapExpression map)
    {
        var result = new TemplateMap();
        foreach ((Expression key, Expression value) in map.Entries)
        {
            // A key would forget that it came from content.
            if (Evaluate(key) is not TemplateText { HasContent: false } name)
                throw new TemplateException(key.Line, "the keys of a mapping must be strings of the template's own");
            result.Entries[name.Value] = Evaluate(value);
        }

        return result;
    }

    private static object? Attribute(object? target, string name) =>
        target is TemplateLoop loop ? loop.Get(name) : TemplateOperations.Index(target, TemplateText.Plain(name));

    private object? Call(CallExpression call)
    {
        IReadOnlyList<object?> positional = Positional(call.Arguments);
        IReadOnlyDictionary<string, object?> named = Named(call.Arguments);
        if (call.Target is AttributeExpression method)
        {
            object? target = Evaluate(method.Target);
            bool isMember = target is TemplateNamespace;
            if (!isMember)
                return TemplateMethods.Call(target, method.Name, positional, named);
        }

        object? function = Evaluate(call.Target);
        return function is TemplateFunction callable ? callable(positional, named) : function is TemplateUndefined undefined
            ? throw new TemplateException(call.Line, $"the function '{undefined.Name}' is not supported")
            : throw new TemplateException(call.Line, $"{TemplateOperations.TypeName(function)} cannot be called");
    }

    private List<object?> Positional(CallArguments arguments) => [.. arguments.Positional.Select(Evaluate)];

    private Dictionary<string, object?> Named(CallArguments arguments) =>
        arguments.Named.ToDictionary(argument => argument.Name, argument => Evaluate(argument.Value), StringComparer.Ordinal);

    private long? Bound(Expression? expression) => expression is null ? null : Evaluate(expression) switch
    {
        null => null,
        long whole => whole,
        object other => throw new TemplateException(expression.Line, $"a slice needs whole numbers, not {TemplateOperations.TypeName(other)}"),
    };

    private object? Lookup(string name)
    {
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].TryGetValue(name, out object? value))
                return value;
        }

        return new TemplateUndefined(name);
    }

    private void Step(TemplateNode node)
    {
        _line = node.Line;
        if (++_steps > MaxSteps)
            throw new TemplateException(node.Line, $"takes more than {MaxSteps} steps");
    }
}
