using System.Runtime.InteropServices;

namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Runs an <see cref="AutomatonProgram"/>: the states it comes to are made once and kept, up to a bound.</summary>
/// <remarks>
/// The readings of a text are kept together as in Earley's and GLL parsing: a rule that several readings call at one place is read once, under a stack node
/// that has all of them as callers. So ambiguity costs what the readings differ in, not their product. What it keeps is a cache: the states that callers
/// hold stay good when it forgets. Used by one thread at a time.
/// </remarks>
internal sealed class Automaton
{
    private static readonly AutomatonState Dead = new([], false, 0, 0);

    private readonly AutomatonProgram _program;
    private readonly StackNode _bottom = new(0, [], true);
    private readonly Dictionary<(StackItem[] Items, bool Mark), StackNode> _nodes = new(ItemsComparer.Instance);
    private readonly Dictionary<(StackItem[] Items, bool Mark), AutomatonState> _states = new(ItemsComparer.Instance);

    // Scratch of one step.
    private readonly HashSet<StackItem> _seen = [];
    private readonly Stack<StackItem> _open = new();
    private readonly List<StackItem> _reading = [];
    private readonly Dictionary<int, (List<StackItem> Returns, bool IsBottom)> _callers = [];
    private readonly PriorityQueue<int, int> _toEnter = new();
    private int _lastNode;
    private int _epoch;
    private long _bytes;

    public Automaton(AutomatonProgram program)
    {
        _program = program;
        Start = MakeStart();
    }

    /// <summary>Before the first byte.</summary>
    public AutomatonState Start { get; private set; }

    /// <summary>Steps of work since it was set to 0.</summary>
    public long Steps { get; set; }

    /// <summary>About what it keeps.</summary>
    public long Bytes => _bytes;

    /// <summary>The state after a byte; null where the byte is not allowed.</summary>
    /// <exception cref="ConstraintException">The readings are too many.</exception>
    public AutomatonState? Step(AutomatonState state, byte value)
    {
        ref AutomatonState? next = ref state.Next[_program.ByteClasses[value]];
        next ??= Compute(state, value);
        return ReferenceEquals(next, Dead) ? null : next;
    }

    /// <summary>The state as this automaton keeps it now, so that what it has forgotten is not held on to.</summary>
    public AutomatonState Current(AutomatonState state) => state.Epoch == _epoch ? state : Intern(state.Items, state.Accepts);

    /// <summary>Counts what was kept beside a state, and forgets everything when it is too much.</summary>
    public void Keep(long bytes)
    {
        _bytes += bytes;
        if (_bytes <= ConstraintLimits.CachedBytes)
            return;
        _nodes.Clear();
        _states.Clear();
        _bytes = 0;
        _epoch++;
        Start = MakeStart();
    }

    private AutomatonState MakeStart()
    {
        Enter(_program.Root, [], isBottom: true);
        return Close(accepts: _program.AcceptsEmpty);
    }

    private AutomatonState Compute(AutomatonState state, byte value)
    {
        foreach (StackItem item in state.Items)
        {
            foreach (Edge edge in _program.EdgesOf(item.State))
            {
                if (edge.Kind == EdgeKind.Bytes && edge.First <= value && value <= edge.Last)
                    Push(new StackItem(edge.Target, 0, item.Stack));
            }
        }

        bool accepts = false;
        while (_open.TryPop(out StackItem item))
            accepts |= Follow(item, mayReturn: true);
        return _reading.Count == 0 && !accepts && _toEnter.Count == 0 ? Forget() : Close(accepts);
    }

    private AutomatonState Forget()
    {
        Clear();
        return Dead;
    }

    // Enters the rules that were called, each after all that call it, and makes the state.
    private AutomatonState Close(bool accepts)
    {
        try
        {
            while (_toEnter.TryDequeue(out int rule, out _))
            {
                (List<StackItem> returns, bool isBottom) = _callers[rule];
                Push(new StackItem(_program.Rules[rule].Start, 0, NodeOf(returns, isBottom)));
                while (_open.TryPop(out StackItem item))
                    Follow(item, mayReturn: false);
            }

            _reading.Sort();
            return Intern([.. _reading], accepts);
        }
        finally
        {
            Clear();
        }
    }

    // mayReturn: false for what was entered without a byte. The empty text of a rule was passed over at its call.
    private bool Follow(StackItem item, bool mayReturn)
    {
        Steps++;
        ReadOnlySpan<Edge> edges = _program.EdgesOf(item.State);
        if (edges.IsEmpty)
        {
            if (!mayReturn)
                return false;
            foreach (StackItem caller in item.Stack.Returns)
                Push(caller);
            return item.Stack.IsBottom;
        }

        bool reads = false;
        foreach (Edge edge in edges)
        {
            switch (edge.Kind)
            {
                case EdgeKind.Bytes:
                    reads = true;
                    break;
                case EdgeKind.Empty:
                    Push(new StackItem(edge.Target, 0, item.Stack));
                    break;
                case EdgeKind.Call:
                    if (_program.Rules[edge.First].IsNullable)
                        Push(new StackItem(edge.Target, 0, item.Stack));
                    Call(edge.First, new StackItem(edge.Target, 0, item.Stack));
                    break;
                case EdgeKind.Repeat:
                    Repeat(edge, item);
                    break;
            }
        }

        if (reads)
            _reading.Add(item);
        return false;
    }

    private void Repeat(Edge edge, StackItem item)
    {
        (int rule, int min, int max) = (edge.First, edge.Last, edge.Max);
        if (item.Count >= min)
            Push(new StackItem(edge.Target, 0, item.Stack));
        if (item.Count >= max)
            return;

        // Without an end there is nothing to count once there are enough.
        int next = max == int.MaxValue ? Math.Min(item.Count + 1, Math.Max(min, 1)) : item.Count + 1;
        Call(rule, item with { Count = next });
    }

    private void Call(int rule, StackItem caller)
    {
        bool isTail = _program.LeadsToEndOnly[caller.State];
        Enter(rule, isTail ? caller.Stack.Returns : new ReadOnlySpan<StackItem>(in caller), isTail && caller.Stack.IsBottom);
    }

    private void Enter(int rule, ReadOnlySpan<StackItem> returns, bool isBottom)
    {
        if (!_callers.TryGetValue(rule, out (List<StackItem> Returns, bool IsBottom) callers))
        {
            callers = ([], false);
            _toEnter.Enqueue(rule, _program.Rules[rule].Order);
        }

        callers.Returns.AddRange(returns);
        Check(callers.Returns.Count);
        _callers[rule] = (callers.Returns, callers.IsBottom || isBottom);
    }

    private void Push(StackItem item)
    {
        if (!_seen.Add(item))
            return;
        Check(_seen.Count);
        _open.Push(item);
    }

    private void Check(int count)
    {
        if (count <= ConstraintLimits.Items && Steps <= ConstraintLimits.StepsPerMask)
            return;
        Clear();
        throw new ConstraintException(
            $"The constraint is too ambiguous: more than {ConstraintLimits.Items} readings of the same text stand side by side, or one token takes more than {ConstraintLimits.StepsPerMask} steps.");
    }

    private void Clear()
    {
        _seen.Clear();
        _open.Clear();
        _reading.Clear();
        _callers.Clear();
        _toEnter.Clear();
    }

    private StackNode NodeOf(List<StackItem> returns, bool isBottom)
    {
        if (returns.Count == 0)
            return _bottom;
        returns.Sort();
        StackItem[] distinct = [.. returns.Distinct()];
        ref StackNode? node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, (distinct, isBottom), out bool exists);
        if (!exists)
        {
            node = new StackNode(++_lastNode, distinct, isBottom);
            _bytes += node.Bytes;
        }

        return node!;
    }

    private AutomatonState Intern(StackItem[] items, bool accepts)
    {
        ref AutomatonState? state = ref CollectionsMarshal.GetValueRefOrAddDefault(_states, (items, accepts), out bool exists);
        if (!exists)
        {
            state = new AutomatonState(items, accepts, _epoch, _program.ByteClassCount);
            _bytes += state.Bytes;
            if (_bytes > ConstraintLimits.StepBytes)
                throw new ConstraintException($"The constraint is too ambiguous: one token takes more than {ConstraintLimits.StepBytes} bytes of states.");
        }

        return state!;
    }
}
