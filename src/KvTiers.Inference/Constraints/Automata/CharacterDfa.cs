using System.Runtime.InteropServices;
using System.Text;

namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A set of texts as deterministic states over characters, for what is both one thing and another, or not a third. State 0 is the start. Immutable.</summary>
internal sealed class CharacterDfa
{
    private readonly List<(CharacterSet Set, int Target)[]> _edges = [];
    private readonly List<bool> _accepts = [];

    private CharacterDfa()
    {
    }

    public int Count => _edges.Count;

    /// <summary>The texts of an expression.</summary>
    /// <exception cref="ConstraintException">It has too many states.</exception>
    public static CharacterDfa Of(Expression expression)
    {
        var nfa = new CharacterNfa(expression);
        var dfa = new CharacterDfa();
        var known = new Dictionary<string, int>();
        var open = new Queue<int[]>();
        long steps = 0;
        StateOf(Close(nfa, [nfa.Start], ref steps));
        while (open.TryDequeue(out int[]? states))
        {
            dfa._accepts.Add(Array.IndexOf(states, nfa.End) >= 0);
            var outgoing = new List<(CharacterSet Set, int Target)>();
            foreach (int state in states)
                outgoing.AddRange(nfa.EdgesOf(state).Where(edge => edge.Set is not null).Select(edge => (edge.Set!, edge.Target)));
            var targets = new Dictionary<int, List<(int First, int Last)>>();
            foreach ((int first, int last, List<int> reached) in Pieces(outgoing, ref steps))
            {
                int target = StateOf(Close(nfa, reached, ref steps));
                (targets.TryGetValue(target, out List<(int First, int Last)>? ranges) ? ranges : targets[target] = []).Add((first, last));
            }

            dfa._edges.Add([.. targets.Select(target => (CharacterSet.Of(target.Value), target.Key))]);
        }

        return dfa;

        int StateOf(int[] states)
        {
            ref int state = ref CollectionsMarshal.GetValueRefOrAddDefault(known, string.Join(',', states), out bool exists);
            if (!exists)
            {
                CheckSize(known.Count, steps += states.Length);
                state = known.Count - 1;
                open.Enqueue(states);
            }

            return state;
        }
    }

    /// <summary>The texts of all parts, or of none where negated, of a length.</summary>
    /// <param name="parts">What a text must be, or must not be.</param>
    /// <param name="min">Least characters.</param>
    /// <param name="max">Most characters; null = any number.</param>
    /// <exception cref="ConstraintException">It has too many states.</exception>
    public static CharacterDfa Intersect(IReadOnlyList<(CharacterDfa Part, bool IsNegated)> parts, int min = 0, int? max = null)
    {
        var dfa = new CharacterDfa();
        var known = new Dictionary<string, int>();
        var open = new Queue<(int[] States, int Length)>();
        long steps = 0;
        StateOf(new int[parts.Count], 0);
        while (open.TryDequeue(out (int[] States, int Length) at))
        {
            bool accepts = at.Length >= min;
            for (int i = 0; i < parts.Count; i++)
                accepts &= (at.States[i] >= 0 && parts[i].Part._accepts[at.States[i]]) != parts[i].IsNegated;
            dfa._accepts.Add(accepts);
            dfa._edges.Add(at.Length == max ? [] : [.. Follow(at.States, at.Length)]);
        }

        return dfa;

        IEnumerable<(CharacterSet Set, int Target)> Follow(int[] states, int length)
        {
            var targets = new List<(CharacterSet Set, int[] States)> { (CharacterSet.All, new int[parts.Count]) };
            for (int i = 0; i < parts.Count; i++)
            {
                (CharacterSet Set, int Target)[] edges = states[i] < 0 ? [] : parts[i].Part._edges[states[i]];
                CharacterSet rest = edges.Aggregate(CharacterSet.All, (left, edge) => left.Except(edge.Set));
                var next = new List<(CharacterSet Set, int[] States)>();
                foreach ((CharacterSet set, int[] target) in targets)
                {
                    foreach ((CharacterSet taken, int state) in parts[i].IsNegated ? edges.Append((rest, -1)) : edges)
                    {
                        CharacterSet both = set.Intersect(taken);
                        if (both.IsEmpty)
                            continue;
                        int[] reached = [.. target];
                        reached[i] = state;
                        next.Add((both, reached));
                        steps += parts.Count + both.Ranges.Length;
                    }
                }

                targets = next;
            }

            int nextLength = max is null ? Math.Min(length + 1, min) : length + 1;
            return targets.GroupBy(target => StateOf(target.States, nextLength), target => target.Set)
                .Select(group => (CharacterSet.Of(group.SelectMany(set => set.Ranges)), group.Key));
        }

        int StateOf(int[] states, int length)
        {
            ref int state = ref CollectionsMarshal.GetValueRefOrAddDefault(known, $"{string.Join(',', states)};{length}", out bool exists);
            if (!exists)
            {
                CheckSize(known.Count, ++steps);
                state = known.Count - 1;
                open.Enqueue((states, length));
            }

            return state;
        }
    }

    /// <summary>Digits, with '-' and '.' anywhere, that are a multiple of a number when read without these. At least one digit.</summary>
    public static CharacterDfa MultiplesOf(int divisor)
    {
        var dfa = new CharacterDfa();
        for (int state = 0; state <= divisor; state++)
        {
            // State 0 has read no digit; state r + 1 has the remainder r.
            int remainder = Math.Max(0, state - 1);
            var targets = Enumerable.Range(0, 10).GroupBy(digit => (((remainder * 10) + digit) % divisor) + 1, digit => ('0' + digit, '0' + digit)).ToList();
            dfa._edges.Add([.. targets.Select(target => (CharacterSet.Of(target), target.Key)), (CharacterSet.Of(('-', '-'), ('.', '.')), state)]);
            dfa._accepts.Add(state == 1);
        }

        return dfa;
    }

    /// <summary>True for a text of the set.</summary>
    public bool Accepts(string text)
    {
        int state = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int edge = Array.FindIndex(_edges[state], edge => edge.Set.Contains(rune.Value));
            if (edge < 0)
                return false;
            state = _edges[state][edge].Target;
        }

        return _accepts[state];
    }

    /// <summary>Lets every text lead from one state to another.</summary>
    public void AddTo(AutomatonBuilder builder, int from, int to, Spelling spelling)
    {
        int[] states = [.. _edges.Select(_ => builder.AddState())];
        builder.AddEmpty(from, states[0]);
        for (int state = 0; state < states.Length; state++)
        {
            foreach ((CharacterSet set, int target) in _edges[state])
                builder.AddCharacter(states[state], set, states[target], spelling);
            if (_accepts[state])
                builder.AddEmpty(states[state], to);
        }
    }

    private static int[] Close(CharacterNfa nfa, IEnumerable<int> states, ref long steps)
    {
        var seen = new HashSet<int>(states);
        var open = new Stack<int>(seen);
        while (open.TryPop(out int state))
        {
            steps++;
            foreach ((CharacterSet? set, int target) in nfa.EdgesOf(state))
            {
                if (set is null && seen.Add(target))
                    open.Push(target);
            }
        }

        CheckSize(0, steps);
        return [.. seen.Order()];
    }

    // Ranges of characters that lead to the same targets each.
    private static List<(int First, int Last, List<int> Targets)> Pieces(List<(CharacterSet Set, int Target)> edges, ref long steps)
    {
        var bounds = new SortedDictionary<int, List<(int Target, bool Begins)>>();
        foreach ((CharacterSet set, int target) in edges)
        {
            foreach ((int first, int last) in set.Ranges)
            {
                (bounds.TryGetValue(first, out List<(int Target, bool Begins)>? at) ? at : bounds[first] = []).Add((target, true));
                (bounds.TryGetValue(last + 1, out at) ? at : bounds[last + 1] = []).Add((target, false));
                steps += 2;
            }
        }

        var pieces = new List<(int First, int Last, List<int> Targets)>();
        var present = new Dictionary<int, int>();
        int begin = 0;
        foreach ((int bound, List<(int Target, bool Begins)> changes) in bounds)
        {
            if (present.Count > 0 && bound > begin)
                pieces.Add((begin, bound - 1, [.. present.Keys]));
            foreach ((int target, bool begins) in changes)
            {
                int count = present.GetValueOrDefault(target) + (begins ? 1 : -1);
                if (count == 0)
                    present.Remove(target);
                else
                    present[target] = count;
            }

            begin = bound;
            steps += present.Count;
        }

        return pieces;
    }

    private static void CheckSize(int states, long steps)
    {
        if (states > ConstraintLimits.DeterministicStates)
            throw new ConstraintException($"A pattern is too large: it needs more than {ConstraintLimits.DeterministicStates} deterministic states.");
        if (steps > ConstraintLimits.DeterminiseSteps)
            throw new ConstraintException($"A pattern is too large: making it deterministic takes more than {ConstraintLimits.DeterminiseSteps} steps.");
    }
}
