namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Runs a template's syntax tree once. Bounded: in steps and bytes by its budget, in the depth of macro calls, and in depth over all.</summary>
internal sealed partial class TemplateEvaluator
{
    private const int MaxCallDepth = 50;

    // Of statements and expressions inside each other, through macros as well. What that takes of the stack is well below the smallest that threads have.
    private const int MaxDepth = 500;

    private readonly TemplateBudget _budget;
    private readonly TemplateTextBuilder _root;
    private readonly List<Dictionary<string, object?>> _scopes = [];
    private readonly Stack<Dictionary<string, object?>> _spareScopes = [];
    private readonly int?[] _messageStarts;
    private readonly int?[] _messageEnds;
    private TemplateTextBuilder _output;
    private int _depth;
    private int _line;
    private int _callDepth;

    /// <param name="variables">What the template can read.</param>
    /// <param name="messageCount">Messages, whose places in the output are noted.</param>
    /// <param name="now">What <c>strftime_now</c> writes.</param>
    /// <param name="budget">What the run may take.</param>
    public TemplateEvaluator(IReadOnlyDictionary<string, object?> variables, int messageCount, DateTimeOffset now, TemplateBudget budget)
    {
        _budget = budget;
        _output = _root = new TemplateTextBuilder(budget);
        _messageStarts = new int?[messageCount];
        _messageEnds = new int?[messageCount];
        var globals = new Dictionary<string, object?>(variables, StringComparer.Ordinal)
        {
            ["raise_exception"] = (TemplateFunction)((positional, _) =>
                throw new TemplateException(_line, positional is [TemplateText message, ..] ? message.Value : "the template refused the messages") { IsRefusal = true }),
            ["strftime_now"] = (TemplateFunction)((positional, named) =>
                TemplateText.Plain(TemplateClock.Format(now, new TemplateArguments("strftime_now", positional, named).Text(0, "format").Value, budget))),
            ["namespace"] = (TemplateFunction)((positional, named) => TemplateFunctions.Namespace(positional, named)),
            ["dict"] = (TemplateFunction)((_, named) => TemplateFunctions.Map(named)),
            ["range"] = (TemplateFunction)((positional, named) => TemplateFunctions.Range(new TemplateArguments("range", positional, named), positional.Count, budget)),
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
            throw new TemplateException(_line, e.Reason, e) { IsOverBudget = e.IsOverBudget };
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
        Enter(statement);
        Flow flow = statement switch
        {
            IfStatement branch => Execute(TemplateOperations.IsTrue(Evaluate(branch.Condition)) ? branch.Then : branch.Else),
            ForStatement loop => Loop(loop),
            BodyStatement inner => Execute(inner.Body),
            BreakStatement => Flow.Break,
            ContinueStatement => Flow.Continue,
            _ => Write(statement),
        };
        _depth--;
        return flow;
    }

    private Flow Write(Statement statement)
    {
        switch (statement)
        {
            case DataStatement data:
                _output.Append(data.Text);
                break;
            case PrintStatement print:
                Print(print.Value);
                break;
            case SetStatement set:
                Assign(set);
                break;
            case SetBlockStatement set:
                _scopes[^1][set.Target] = Capture(set.Body);
                break;
            case MacroStatement macro:
                _budget.Take(256);
                _scopes[^1][macro.Name] = (TemplateFunction)((positional, named) => CallMacro(macro, positional, named));
                break;
            default:
                throw new TemplateException(statement.Line, "this statement is not supported");
        }

        return Flow.Next;
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
        Enter(sum);
        object? left = sum.Left is BinaryExpression { Operator: "+" } inner ? Sum(inner) : Evaluate(sum.Left);
        object? right = Evaluate(sum.Right);
        _depth--;
        if (right is TemplateText last && left is List<TemplateText> or TemplateText)
        {
            _budget.Grow(2);
            List<TemplateText> parts = left as List<TemplateText> ?? [(TemplateText)left!];
            parts.Add(last);
            return parts;
        }

        return TemplateOperations.Binary("+", left is List<TemplateText> texts ? TemplateText.Join(texts, _budget) : left, right, _budget);
    }

    private Flow Loop(ForStatement loop)
    {
        List<object?> items = TemplateOperations.Copy(Evaluate(loop.Items), _budget);
        if (loop.Filter is not null)
            items = items.FindAll(item => Passes(loop, item));
        if (items.Count == 0)
            return Execute(loop.Else);

        var state = new TemplateLoop(items);
        for (int i = 0; i < items.Count; i++)
        {
            state.Index = i;
            int before = _output.Length;
            Dictionary<string, object?> scope = OpenScope();
            Bind(scope, loop.Targets, items[i]);
            scope["loop"] = state;
            Flow flow = Execute(loop.Body);
            CloseScope();
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

    private bool Passes(ForStatement loop, object? item)
    {
        Bind(OpenScope(), loop.Targets, item);
        bool passes = TemplateOperations.IsTrue(Evaluate(loop.Filter!));
        CloseScope();
        if (passes)
            _budget.Grow();
        return passes;
    }

    private Dictionary<string, object?> OpenScope()
    {
        _budget.Step();
        if (!_spareScopes.TryPop(out Dictionary<string, object?>? scope))
        {
            _budget.Take(512);
            scope = new Dictionary<string, object?>(StringComparer.Ordinal);
        }

        _scopes.Add(scope);
        return scope;
    }

    private void CloseScope()
    {
        Dictionary<string, object?> scope = _scopes[^1];
        _scopes.RemoveAt(_scopes.Count - 1);
        // To empty a large one takes as long as it once was large.
        if (scope.Count > 16)
            return;
        scope.Clear();
        _spareScopes.Push(scope);
    }

    private void Bind(Dictionary<string, object?> scope, IReadOnlyList<string> targets, object? value)
    {
        if (targets.Count == 1)
        {
            scope[targets[0]] = value;
            return;
        }

        List<object?> items = TemplateOperations.Items(value, _budget);
        if (items.Count != targets.Count)
            throw new TemplateException(0, $"{items.Count} values cannot be bound to {targets.Count} names");
        _budget.Step(items.Count);
        _budget.Take(96L * items.Count);
        for (int i = 0; i < targets.Count; i++)
            scope[targets[i]] = items[i];
    }

    private void Assign(SetStatement set)
    {
        object? value = Evaluate(set.Value);
        if (set.Attribute is null)
        {
            _budget.Take(96);
            Bind(_scopes[^1], set.Targets, value);
            return;
        }

        TemplateNamespace space = Lookup(set.Targets[0]) as TemplateNamespace
            ?? throw new TemplateException(set.Line, $"'{set.Targets[0]}' is not a namespace, so its attribute cannot be set");
        _budget.Take(96);
        space.Attributes[set.Attribute] = value;
    }

    private TemplateText Capture(IReadOnlyList<Statement> body)
    {
        _budget.Take(TemplateText.BuilderBytes);
        TemplateTextBuilder outer = _output;
        var inner = new TemplateTextBuilder(_budget);
        _output = inner;
        Execute(body);
        _output = outer;
        return inner.ToText();
    }

    private void Enter(TemplateNode node)
    {
        _line = node.Line;
        if (++_depth > MaxDepth)
            throw new TemplateException(node.Line, $"runs more than {MaxDepth} statements and expressions inside each other");
        _budget.Step();
    }
}
