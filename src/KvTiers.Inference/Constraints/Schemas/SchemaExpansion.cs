using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>
/// Writes a schema as alternatives, each a list of schemas without <c>$ref</c>, <c>allOf</c>, <c>anyOf</c> and <c>oneOf</c> that all hold: the disjunctive form.
/// </summary>
internal sealed class SchemaExpansion
{
    private const int MaxAlternatives = 1_000;
    private const int MaxSteps = 200_000;

    private readonly Dictionary<string, IReadOnlyList<SchemaNode[]>?> _known = [];
    private int _steps;
    private int _depth;

    /// <summary>The alternatives of what all of some schemas allow. None: they allow nothing.</summary>
    /// <exception cref="ConstraintException">A schema is not supported, refers to itself only, or has too many alternatives.</exception>
    public IReadOnlyList<SchemaNode[]> Expand(IReadOnlyList<SchemaNode> nodes)
    {
        IReadOnlyList<SchemaNode[]> alternatives = [[]];
        foreach (SchemaNode node in nodes)
            alternatives = Cross(node, alternatives, Expand(node));
        return alternatives;
    }

    /// <summary>Names a list of schemas that all hold, whatever their order.</summary>
    public static string KeyOf(IReadOnlyList<SchemaNode> nodes) => string.Join('&', nodes.Select(node => node.Key).Order(StringComparer.Ordinal).Distinct());

    private IReadOnlyList<SchemaNode[]> Expand(SchemaNode node)
    {
        if (_known.TryGetValue(node.Key, out IReadOnlyList<SchemaNode[]>? known))
            return known ?? throw node.Fail("it refers to itself without anything in between");
        if (++_depth > ConstraintLimits.Depth)
            throw node.Fail($"references stand more than {ConstraintLimits.Depth} deep");
        _known[node.Key] = null;
        SchemaKeywords.Check(node);
        IReadOnlyList<SchemaNode[]> alternatives = node.Element.ValueKind switch
        {
            JsonValueKind.True => [[]],
            JsonValueKind.False => [],
            _ => ExpandObject(node),
        };
        _depth--;
        _known[node.Key] = alternatives;
        return alternatives;
    }

    private IReadOnlyList<SchemaNode[]> ExpandObject(SchemaNode node)
    {
        IReadOnlyList<SchemaNode[]> alternatives = SchemaKeywords.SaysSomething(node) ? [[node]] : [[]];
        if (node.Text("$ref") is { } reference)
            alternatives = Cross(node, alternatives, Expand(node.Document.Resolve(node, reference)));
        if (node.Get("allOf") is { } all)
        {
            foreach (SchemaNode part in node.List("allOf", all))
                alternatives = Cross(node, alternatives, Expand(part));
        }

        if (node.Get("anyOf") is { } any)
            alternatives = Cross(node, alternatives, Union(node, node.List("anyOf", any)));
        if (node.Get("oneOf") is { } one)
        {
            IReadOnlyList<SchemaNode> options = node.List("oneOf", one);
            SchemaDisjointness.Check(node, [.. options.Select(Expand)], ref _steps);
            alternatives = Cross(node, alternatives, Union(node, options));
        }

        return alternatives;
    }

    private List<SchemaNode[]> Union(SchemaNode node, IReadOnlyList<SchemaNode> options) => Distinct(node, options.SelectMany(Expand));

    private IReadOnlyList<SchemaNode[]> Cross(SchemaNode node, IReadOnlyList<SchemaNode[]> left, IReadOnlyList<SchemaNode[]> right)
    {
        if (right is [[]])
            return left;
        return left is [[]] ? right : Distinct(node, left.SelectMany(one => right.Select(other => (SchemaNode[])[.. one.Concat(other).DistinctBy(part => part.Key)])));
    }

    private List<SchemaNode[]> Distinct(SchemaNode node, IEnumerable<SchemaNode[]> alternatives)
    {
        var known = new HashSet<string>();
        var distinct = new List<SchemaNode[]>();
        foreach (SchemaNode[] alternative in alternatives)
        {
            if ((_steps += 1 + alternative.Length) > MaxSteps)
                throw node.Fail($"writing its combinations out takes more than {MaxSteps} steps");
            if (known.Add(KeyOf(alternative)))
                distinct.Add(alternative);
            if (distinct.Count > MaxAlternatives)
                throw node.Fail($"its combinations are more than {MaxAlternatives} alternatives");
        }

        return distinct;
    }
}
