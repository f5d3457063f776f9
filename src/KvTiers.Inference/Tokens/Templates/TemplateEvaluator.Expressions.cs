namespace KvTiers.Inference.Tokens.Templates;

/// <content>Expressions, and the calls of macros.</content>
internal sealed partial class TemplateEvaluator
{
    private object? Evaluate(Expression expression)
    {
        Enter(expression);
        object? value = expression switch
        {
            LiteralExpression literal => literal.Value,
            NameExpression name => Lookup(name.Name),
            AttributeExpression attribute => Attribute(Evaluate(attribute.Target), attribute.Name),
            IndexExpression index => TemplateOperations.Index(Evaluate(index.Target), Evaluate(index.Index), _budget),
            CallExpression call => Call(call),
            FilterExpression filter => Filter(filter),
            TestExpression test => Test(test),
            BinaryExpression binary => Binary(binary),
            CompareExpression comparison => Compare(comparison),
            ConditionalExpression conditional => Conditional(conditional),
            _ => Rare(expression),
        };
        _depth--;
        return value;
    }

    private object? Rare(Expression expression) => expression switch
    {
        UnaryExpression { Operator: "not" } unary => !TemplateOperations.IsTrue(Evaluate(unary.Value)),
        UnaryExpression { Operator: "-" } unary => TemplateArithmetic.Negate(Evaluate(unary.Value)),
        UnaryExpression unary => Evaluate(unary.Value),
        ListExpression list => Evaluate(list.Items),
        MapExpression map => Map(map),
        SliceExpression slice => TemplateOperations.Slice(Evaluate(slice.Target), Bound(slice.Start), Bound(slice.End), Bound(slice.Step) ?? 1, _budget),
        _ => throw new TemplateException(expression.Line, "this expression is not supported"),
    };

    private object? Conditional(ConditionalExpression conditional)
    {
        if (TemplateOperations.IsTrue(Evaluate(conditional.Condition)))
            return Evaluate(conditional.Then);
        return conditional.Else is null ? new TemplateUndefined("else") : Evaluate(conditional.Else);
    }

    private object? Binary(BinaryExpression binary)
    {
        object? left = Evaluate(binary.Left);
        return binary.Operator switch
        {
            "and" => TemplateOperations.IsTrue(left) ? Evaluate(binary.Right) : left,
            "or" => TemplateOperations.IsTrue(left) ? left : Evaluate(binary.Right),
            _ => TemplateOperations.Binary(binary.Operator, left, Evaluate(binary.Right), _budget),
        };
    }

    private object? Filter(FilterExpression filter)
    {
        object? value = Evaluate(filter.Value);
        return TemplateFilters.Apply(filter.Name, value, Positional(filter.Arguments), Named(filter.Arguments), _budget);
    }

    private bool Test(TestExpression test)
    {
        object? value = Evaluate(test.Value);
        return TemplateTests.Holds(test.Name, value, Positional(test.Arguments), _budget) != test.Negated;
    }

    private bool Compare(CompareExpression comparison)
    {
        object? left = Evaluate(comparison.First);
        foreach ((string symbol, Expression operand) in comparison.Rest)
        {
            object? right = Evaluate(operand);
            if (!TemplateComparison.Compare(symbol, left, right, _budget))
                return false;
            left = right;
        }

        return true;
    }

    private List<object?> Evaluate(IReadOnlyList<Expression> expressions)
    {
        _budget.MakeList(expressions.Count);
        var values = new List<object?>(expressions.Count);
        foreach (Expression expression in expressions)
            values.Add(Evaluate(expression));
        return values;
    }

    private TemplateMap Map(MapExpression map)
    {
        _budget.Take(256 + (192L * map.Entries.Count));
        var result = new TemplateMap();
        foreach ((Expression key, Expression value) in map.Entries)
        {
            // A key would forget that it came from content.
            if (Evaluate(key) is not TemplateText { HasContent: false } name)
                throw new TemplateException(key.Line, "the keys of a mapping must be strings of the template's own");
            _budget.Scan(name.Length);
            result.Entries[name.Value] = Evaluate(value);
        }

        return result;
    }

    private object? Attribute(object? target, string name) =>
        target is TemplateLoop loop ? loop.Get(name) : TemplateOperations.Index(target, TemplateText.Plain(name), _budget);

    private object? Call(CallExpression call)
    {
        List<object?> positional = Positional(call.Arguments);
        IReadOnlyDictionary<string, object?> named = Named(call.Arguments);
        if (call.Target is AttributeExpression method)
        {
            object? target = Evaluate(method.Target);
            bool isMember = target is TemplateNamespace;
            if (!isMember)
                return TemplateMethods.Call(target, method.Name, positional, named, _budget);
        }

        object? function = Evaluate(call.Target);
        return function is TemplateFunction callable ? callable(positional, named) : function is TemplateUndefined undefined
            ? throw new TemplateException(call.Line, $"the function '{undefined.Name}' is not supported")
            : throw new TemplateException(call.Line, $"{TemplateOperations.TypeName(function)} cannot be called");
    }

    private TemplateText CallMacro(MacroStatement macro, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        if (++_callDepth > MaxCallDepth)
            throw new TemplateException(macro.Line, $"macros call each other more than {MaxCallDepth} deep");
        _budget.Step(macro.Parameters.Count + (_scopes.Count >> 2));
        _budget.Take((96L * macro.Parameters.Count) + (8L * _scopes.Count));
        var arguments = new TemplateArguments($"the macro '{macro.Name}'", positional, named);
        // A macro sees the template's own names, not its caller's.
        List<Dictionary<string, object?>> callers = _scopes.GetRange(2, _scopes.Count - 2);
        _scopes.RemoveRange(2, _scopes.Count - 2);
        Dictionary<string, object?> scope = OpenScope();
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            (string name, Expression? fallback) = macro.Parameters[i];
            bool given = arguments.Has(i, name);
            object? value = arguments.Any(i, name);
            scope[name] = given ? value : fallback is null ? new TemplateUndefined(name) : Evaluate(fallback);
        }

        arguments.Complete();
        TemplateText text = Capture(macro.Body);
        CloseScope();
        _scopes.AddRange(callers);
        _callDepth--;
        return text;
    }

    private List<object?> Positional(CallArguments arguments)
    {
        _budget.MakeCall(arguments.Positional.Count, arguments.Named.Count);
        return Evaluate(arguments.Positional);
    }

    private IReadOnlyDictionary<string, object?> Named(CallArguments arguments) => arguments.Named.Count == 0
        ? TemplateArguments.NoneNamed
        : arguments.Named.ToDictionary(argument => argument.Name, argument => Evaluate(argument.Value), StringComparer.Ordinal);

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
            {
                _budget.Step((_scopes.Count - i) >> 2);
                return value;
            }
        }

        _budget.Step(_scopes.Count >> 2);
        return new TemplateUndefined(name);
    }
}
