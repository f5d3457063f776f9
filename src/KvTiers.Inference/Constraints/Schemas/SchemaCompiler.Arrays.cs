using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <content>Arrays.</content>
internal sealed partial class SchemaCompiler
{
    private void AddArray(SchemaNode[] nodes, int from, int to)
    {
        int min = Most(nodes, "minItems");
        int max = Least(nodes, "maxItems") ?? int.MaxValue;
        int prefix = nodes.Max(node => Prefix(node).Count as int?) ?? 0;
        IReadOnlyList<SchemaNode>? rest = Rest(nodes);
        int state = builder.AddState();
        builder.AddBytes(from, '[', '[', state);
        for (int i = 0; i < prefix; i++)
        {
            if (i >= min && i <= max)
                builder.AddBytes(state, ']', ']', to);
            if (i >= max)
                return;
            int next = builder.AddState();
            AddItem(state, RuleOf([.. nodes.SelectMany(node => ItemAt(node, i))]), i > 0, next);
            state = next;
        }

        AddRest(state, prefix, rest is null ? null : RuleOf(rest), min, max, to);
    }

    private void AddRest(int state, int prefix, int? item, int min, int max, int to)
    {
        if (prefix >= min && prefix <= max)
            builder.AddBytes(state, ']', ']', to);
        if (item is not { } rule || prefix >= max)
            return;
        int first = state;
        int count = prefix;
        if (prefix == 0)
        {
            first = builder.AddState();
            builder.AddCall(state, rule, first);
            count = 1;
        }

        int further = Shared($"further item {rule}", (from, end) => AddItem(from, rule, hasComma: true, end));
        int last = builder.AddState();
        builder.AddRepeat(first, further, Math.Max(prefix == 0 ? 0 : 1, min - count), max == int.MaxValue ? null : max - count, last);
        builder.AddBytes(last, ']', ']', to);
    }

    private void AddItem(int from, int rule, bool hasComma, int to)
    {
        int state = from;
        if (hasComma)
        {
            state = builder.AddState();
            AddMark(from, ',', state);
        }

        builder.AddCall(state, rule, to);
    }

    // A ',' or ':', and one space or none.
    private void AddMark(int from, char mark, int to)
    {
        int state = builder.AddState();
        builder.AddBytes(from, mark, mark, state);
        builder.Add(JsonText.Space, state, to, Spelling.Plain);
    }

    // The schemas of the first items: prefixItems, or items as a list in drafts up to 2019-09.
    private static IReadOnlyList<SchemaNode> Prefix(SchemaNode node)
    {
        if (node.Get("prefixItems") is { } prefix)
            return node.List("prefixItems", prefix);
        return node.Get("items") is { ValueKind: JsonValueKind.Array } items && items.GetArrayLength() > 0 ? node.List("items", items) : [];
    }

    private static IEnumerable<SchemaNode> ItemAt(SchemaNode node, int index) => Prefix(node) is var prefix && index < prefix.Count ? [prefix[index]] : RestOf(node);

    // The schemas of every item behind the first ones; null where a list has none.
    private static List<SchemaNode>? Rest(SchemaNode[] nodes)
    {
        List<SchemaNode> rest = [.. nodes.SelectMany(RestOf)];
        return rest.Any(node => node.Element.ValueKind == JsonValueKind.False) ? null : rest;
    }

    private static IEnumerable<SchemaNode> RestOf(SchemaNode node)
    {
        string keyword = node.Get("items") is { ValueKind: JsonValueKind.Array } ? "additionalItems" : "items";
        return node.Get(keyword) is { } items ? [node.Child(keyword, items)] : [];
    }
}
