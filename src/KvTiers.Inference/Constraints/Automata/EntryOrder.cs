namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Puts rules in an order in which each comes after all that call it before they read a byte.</summary>
internal sealed class EntryOrder(AutomatonBuilder builder, Edge[][] edges, bool[] isNullable)
{
    /// <summary>[rules]: the place of each that the root reaches.</summary>
    /// <exception cref="ConstraintException">A rule calls itself before it reads a byte.</exception>
    public int[] Find(int root)
    {
        int count = builder.Rules.Count;
        var order = new int[count];
        var state = new byte[count];
        int next = count;
        foreach (int first in ReachedFrom(root))
        {
            // Depth first without recursion: a rule gets its place when all that it enters have theirs, from the last place down.
            var path = new Stack<(int Rule, IEnumerator<int> Entered)>();
            Open(first);
            while (path.TryPeek(out (int Rule, IEnumerator<int> Entered) top))
            {
                if (top.Entered.MoveNext())
                {
                    int entered = top.Entered.Current;
                    if (state[entered] == 1)
                        throw new ConstraintException($"The rule '{builder.Rules[entered].Name}' begins with itself ({string.Join(" → ", path.Reverse().Select(step => builder.Rules[step.Rule].Name).SkipWhile(name => name != builder.Rules[entered].Name))}); left recursion is not supported here.");
                    Open(entered);
                    continue;
                }

                path.Pop();
                state[top.Rule] = 2;
                order[top.Rule] = --next;
            }

            void Open(int rule)
            {
                if (state[rule] != 0)
                    return;
                state[rule] = 1;
                path.Push((rule, EnteredBy(rule).GetEnumerator()));
            }
        }

        return order;
    }

    private HashSet<int> ReachedFrom(int root)
    {
        var reached = new HashSet<int> { root };
        var open = new Stack<int>([root]);
        while (open.TryPop(out int rule))
        {
            foreach (int called in Walk(builder.Rules[rule].Start, throughBytes: true).Where(reached.Add))
                open.Push(called);
        }

        return reached;
    }

    private IEnumerable<int> EnteredBy(int rule) => Walk(builder.Rules[rule].Start, throughBytes: false);

    // The rules called on the ways from a state.
    private IEnumerable<int> Walk(int start, bool throughBytes)
    {
        var seen = new HashSet<int> { start };
        var open = new Stack<int>([start]);
        while (open.TryPop(out int state))
        {
            foreach (Edge edge in edges[state])
            {
                bool isCall = edge.Kind is EdgeKind.Call or EdgeKind.Repeat;
                if (isCall)
                    yield return edge.First;
                bool passes = edge.Kind switch
                {
                    EdgeKind.Empty => true,
                    EdgeKind.Call => throughBytes || isNullable[edge.First],
                    EdgeKind.Repeat => throughBytes || edge.Last == 0,
                    _ => throughBytes,
                };
                if (passes && seen.Add(edge.Target))
                    open.Push(edge.Target);
            }
        }
    }
}
