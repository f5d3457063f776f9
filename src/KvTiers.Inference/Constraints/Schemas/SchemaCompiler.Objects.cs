using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Constraints.Patterns;

namespace KvTiers.Inference.Constraints.Schemas;

/// <content>Objects: the declared properties in the order of their declaration, then those that are not declared.</content>
internal sealed partial class SchemaCompiler
{
    private readonly Dictionary<string, Dictionary<string, JsonElement>> _properties = [];

    private void AddObject(SchemaNode[] nodes, int from, int to)
    {
        HashSet<string> required = [.. nodes.SelectMany(Required)];
        List<string> names = [.. nodes.SelectMany(node => Properties(node).Keys).Concat(nodes.SelectMany(Required)).Distinct()];
        int? further = FurtherPair(nodes, names);
        int min = Most(nodes, "minProperties");
        int? max = Least(nodes, "maxProperties");
        if (names.Count > 0)
            CheckCounts(nodes, required.Count, names.Count, further is not null, min, max);
        else if (min > 1)
            throw nodes.First(node => node.Get("minProperties") is not null).Fail("'minProperties' above 1 is supported where so many properties are required: names that are not declared may come twice");

        int open = builder.AddState();
        builder.AddBytes(from, '{', '{', open);
        if (names.Count == 0)
            AddPairs(open, further, min, max, to);
        else
            AddDeclared(nodes, names, required, further, open, to);
    }

    private void AddPairs(int open, int? pair, int min, int? max, int to)
    {
        if (min == 0)
            builder.AddBytes(open, '}', '}', to);
        if (pair is not { } rule || max == 0)
            return;
        int first = builder.AddState();
        int last = builder.AddState();
        builder.AddCall(open, rule, first);
        builder.AddRepeat(first, FurtherPair(rule), 0, max - 1, last);
        builder.AddBytes(last, '}', '}', to);
    }

    // Two rows of states, one for each place in the declared order: nothing was written yet, or something, behind which stands a comma.
    private void AddDeclared(SchemaNode[] nodes, List<string> names, HashSet<string> required, int? further, int open, int to)
    {
        int empty = open;
        int filled = -1;
        foreach (string name in names)
        {
            int value = RuleOf([.. nodes.SelectMany(node => SchemasOf(node, name))]);
            bool isRequired = required.Contains(name);
            int nextFilled = builder.AddState();
            if (empty >= 0)
                AddPair(empty, name, value, nextFilled);
            if (filled >= 0)
            {
                int comma = builder.AddState();
                AddMark(filled, ',', comma);
                AddPair(comma, name, value, nextFilled);
                if (!isRequired)
                    builder.AddEmpty(filled, nextFilled);
            }

            filled = nextFilled;
            empty = isRequired ? -1 : empty;
        }

        if (empty >= 0)
            AddPairs(empty, further, 0, null, to);
        builder.AddBytes(filled, '}', '}', to);
        if (further is not { } pair)
            return;
        int last = builder.AddState();
        builder.AddRepeat(filled, FurtherPair(pair), 1, null, last);
        builder.AddBytes(last, '}', '}', to);
    }

    private void AddPair(int from, string name, int value, int to)
    {
        int named = builder.AddState();
        int valued = builder.AddState();
        builder.AddText(from, SchemaValue.Quote(name), named);
        AddMark(named, ':', valued);
        builder.AddCall(valued, value, to);
    }

    private int FurtherPair(int pair) => Shared($"further property {pair}", (from, to) =>
    {
        int comma = builder.AddState();
        AddMark(from, ',', comma);
        builder.AddCall(comma, pair, to);
    });

    // The rule of a property that is not declared; null where none is allowed.
    private int? FurtherPair(SchemaNode[] nodes, List<string> names)
    {
        if (PatternPair(nodes, names) is { } byPattern)
            return byPattern;
        List<SchemaNode> values = [.. nodes.SelectMany(Additional)];
        if (values.Any(value => value.Element.ValueKind == JsonValueKind.False))
            return null;
        List<SchemaNode> nameSchemas = [.. With(nodes, "propertyNames").Select(part => part.Node.Child("propertyNames", part.Value))];
        if (nameSchemas.Count > 0 && names.Count > 0)
            throw nodes[0].Fail("'propertyNames' beside declared or required properties is not supported");
        int value = RuleOf(values);
        int name = nameSchemas.Count > 0 ? PropertyName(nameSchemas) : NameExcept(nodes, names);
        return Pair(name, value);
    }

    private int Pair(int name, int value) => Shared($"property {name} {value}", (from, to) =>
    {
        int named = builder.AddState();
        int valued = builder.AddState();
        builder.AddCall(from, name, named);
        AddMark(named, ':', valued);
        builder.AddCall(valued, value, to);
    });

    private int PropertyName(List<SchemaNode> schemas) => Shared("name " + SchemaExpansion.KeyOf(schemas), (from, to) =>
    {
        foreach (SchemaNode[] alternative in _expansion.Expand(schemas))
        {
            if (ListedValues(alternative) is { } values)
                builder.Add(Expression.Choice([.. values.Where(value => value.ValueKind == JsonValueKind.String).Select(SchemaValue.Write)]), from, to, Spelling.Plain);
            else if (SchemaTypes.Of(alternative).HasFlag(SchemaType.String))
                AddString(alternative, from, to);
        }
    });

    private int NameExcept(SchemaNode[] nodes, List<string> names) => names.Count == 0 ? AnyString : Shared("name but for " + string.Join('\0', names), (from, to) =>
    {
        var declared = CharacterDfa.Of(Expression.Choice([.. names.Select(Expression.Literal)]));
        CharacterDfa others = Locate(nodes[0], () => CharacterDfa.Intersect([(declared, true)]));
        AddQuoted(from, to, (start, end) => others.AddTo(builder, start, end, Spelling.JsonShortest));
    });

    // 'patternProperties' stands alone: one pattern, and what does not match it is not allowed.
    private int? PatternPair(SchemaNode[] nodes, List<string> names)
    {
        List<(SchemaNode Node, JsonElement Value)> patterns = [.. With(nodes, "patternProperties")];
        if (patterns.Count == 0 || patterns is [(_, { ValueKind: JsonValueKind.Object } none)] && !none.EnumerateObject().Any())
            return null;
        (SchemaNode node, JsonElement value) = patterns[0];
        if (patterns.Count > 1 || value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() != 1 || names.Count > 0
            || node.Get("additionalProperties") is not { ValueKind: JsonValueKind.False } || nodes.Length > 1 || node.Get("propertyNames") is not null)
            throw node.Fail("'patternProperties' is supported with one pattern, without declared properties and with 'additionalProperties': false");
        JsonProperty only = value.EnumerateObject().First();
        IReadOnlyList<(Expression Body, bool IsNegated)> parts = Locate(node, () => PatternCompiler.Parts(only.Name, isWhole: false));
        int name = Shared("name of " + node.Key, (from, to) => AddQuoted(from, to, (start, end) => DfaOf(node, parts, 0, null).AddTo(builder, start, end, Spelling.JsonShortest)));
        return Pair(name, RuleOf([node.Child("patternProperties", only.Name, only.Value)]));
    }

    private static void CheckCounts(SchemaNode[] nodes, int required, int declared, bool hasFurther, int min, int? max)
    {
        if (min > required)
            throw nodes.First(node => node.Get("minProperties") is not null).Fail("'minProperties' above the number of required properties is not supported beside declared ones");
        if (max is not null && (hasFurther || max < declared))
            throw nodes.First(node => node.Get("maxProperties") is not null).Fail("'maxProperties' is not supported where more properties are allowed than that");
    }

    private Dictionary<string, JsonElement> Properties(SchemaNode node)
    {
        if (_properties.TryGetValue(node.Key, out Dictionary<string, JsonElement>? known))
            return known;
        var properties = new Dictionary<string, JsonElement>();
        if (node.Get("properties") is { } value)
        {
            if (value.ValueKind != JsonValueKind.Object)
                throw node.Fail("'properties' must be an object");
            foreach (JsonProperty property in value.EnumerateObject())
                properties[property.Name] = property.Value;
        }

        return _properties[node.Key] = properties;
    }

    private static IEnumerable<string> Required(SchemaNode node)
    {
        if (node.Get("required") is not { } required)
            return [];
        if (required.ValueKind != JsonValueKind.Array || required.EnumerateArray().Any(name => name.ValueKind != JsonValueKind.String))
            throw node.Fail("'required' must be a list of names");
        return required.EnumerateArray().Select(name => name.GetString()!);
    }

    // What a node says of a property: by its name, or as of one that it does not declare.
    private IEnumerable<SchemaNode> SchemasOf(SchemaNode node, string name) =>
        Properties(node).TryGetValue(name, out JsonElement property) ? [node.Child("properties", name, property)] : Additional(node);

    private static IEnumerable<SchemaNode> Additional(SchemaNode node) =>
        node.Get("additionalProperties") is { } value ? [node.Child("additionalProperties", value)] : [];
}
