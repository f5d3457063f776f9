using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>JSON Schemas as rules: one for each schema, and one for each combination of schemas that hold for the same value, however often they are named.</summary>
/// <param name="builder">Receives the rules.</param>
internal sealed partial class SchemaCompiler(AutomatonBuilder builder)
{
    private const int MaxNested = 1_000;

    private readonly SchemaExpansion _expansion = new();
    private readonly Dictionary<string, int> _rules = [];
    private readonly Dictionary<string, int> _shared = [];
    private readonly Queue<Action> _open = new();
    private int _documents;

    /// <summary>Adds the rule of a schema.</summary>
    /// <exception cref="ConstraintException">It is no JSON Schema, or asks for what is not supported; the message names the place.</exception>
    public int Add(string text) => AddNested(SchemaDocument.Parse(text));

    /// <summary>Adds the rule of any JSON object.</summary>
    public int AddAnyObject() => Add("""{"type":"object"}""");

    /// <summary>Adds the rule of a schema that stands in something larger.</summary>
    /// <exception cref="ConstraintException">As <see cref="Add"/>.</exception>
    public int AddNested(JsonElement schema)
    {
        if (++_documents > MaxNested)
            throw new ConstraintException($"There are more than {MaxNested} schemas.");
        try
        {
            int rule = RuleOf([new SchemaDocument(_documents, schema).Node]);
            while (_open.TryDequeue(out Action? next))
                next();
            return rule;
        }
        catch (InvalidOperationException e)
        {
            throw new ConstraintException("The schema holds half of a surrogate pair; its strings must be whole Unicode.", e);
        }
    }

    // Schemas are compiled one after the other and not one inside the other, so that depth costs no stack.
    private int RuleOf(IReadOnlyList<SchemaNode> nodes)
    {
        string key = SchemaExpansion.KeyOf(nodes);
        if (_rules.TryGetValue(key, out int known))
            return known;
        int rule = builder.AddRule(nodes.Count == 0 ? "value" : nodes[0].Pointer);
        _rules[key] = rule;
        _open.Enqueue(() =>
        {
            foreach (SchemaNode[] alternative in _expansion.Expand(nodes))
                builder.AddCall(StartOf(rule), AlternativeOf(alternative), EndOf(rule));
        });
        return rule;
    }

    private int AlternativeOf(SchemaNode[] nodes) => Shared("alternative " + SchemaExpansion.KeyOf(nodes), (from, to) => AddAlternative(nodes, from, to));

    private int Shared(string name, Action<int, int> add)
    {
        if (_shared.TryGetValue(name, out int known))
            return known;
        int rule = builder.AddRule(name);
        _shared[name] = rule;
        _open.Enqueue(() => add(StartOf(rule), EndOf(rule)));
        return rule;
    }

    private int StartOf(int rule) => builder.Rules[rule].Start;

    private int EndOf(int rule) => builder.Rules[rule].End;

    private void AddAlternative(SchemaNode[] nodes, int from, int to)
    {
        SchemaType types = SchemaTypes.Of(nodes);
        if (ListedValues(nodes) is { } values)
        {
            builder.Add(Expression.Choice([.. values.Where(value => types.HasFlag(SchemaTypes.Of(value))).Select(SchemaValue.Write)]), from, to, Spelling.Plain);
            return;
        }

        if (types.HasFlag(SchemaType.Null))
            builder.AddText(from, "null", to);
        if (types.HasFlag(SchemaType.Boolean))
            builder.Add(Expression.Choice(Expression.Literal("true"), Expression.Literal("false")), from, to, Spelling.Plain);
        if ((types & SchemaType.Number) != 0)
            AddNumber(nodes, types.HasFlag(SchemaType.Fraction), from, to);
        if (types.HasFlag(SchemaType.String))
            AddString(nodes, from, to);
        if (types.HasFlag(SchemaType.Array))
            AddArray(nodes, from, to);
        if (types.HasFlag(SchemaType.Object))
            AddObject(nodes, from, to);
    }

    // The values of 'const' and 'enum'; null where there are none.
    private static List<JsonElement>? ListedValues(SchemaNode[] nodes)
    {
        List<JsonElement>? values = null;
        foreach (SchemaNode node in nodes)
        {
            IReadOnlyList<JsonElement>? own = node.Get("const") is { } single ? [single] : null;
            if (node.Get("enum") is { } list)
            {
                if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
                    throw node.Fail("'enum' must be a list of at least one value");
                own = [.. list.EnumerateArray().Where(value => own is null || SchemaValue.KeyOf(value) == SchemaValue.KeyOf(own[0]))];
            }

            if (own is null)
                continue;
            HashSet<string> keys = [.. own.Select(SchemaValue.KeyOf)];
            values = values is null ? [.. own] : [.. values.Where(value => keys.Contains(SchemaValue.KeyOf(value)))];
        }

        if (values is not null)
            CheckBesideValues(nodes);
        return values;
    }

    private static void CheckBesideValues(SchemaNode[] nodes)
    {
        string[] allowed = ["type", "nullable", "enum", "const"];
        foreach (SchemaNode node in nodes)
        {
            foreach (JsonProperty member in node.Element.EnumerateObject())
            {
                if (!allowed.Contains(member.Name) && SchemaKeywords.IsHeld(member.Name))
                    throw node.Fail($"'{member.Name}' beside 'enum' or 'const' is not supported");
            }
        }
    }

    private static IEnumerable<(SchemaNode Node, JsonElement Value)> With(IEnumerable<SchemaNode> nodes, string keyword) =>
        from node in nodes
        where node.Get(keyword) is not null
        select (node, node.Get(keyword)!.Value);

    private static int Most(SchemaNode[] nodes, string keyword) => nodes.Max(node => node.Count(keyword)) ?? 0;

    private static int? Least(SchemaNode[] nodes, string keyword) => nodes.Min(node => node.Count(keyword));
}
