using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>
/// Proves that no value is of two options of a <c>oneOf</c>, so that it means the same as <c>anyOf</c>: their types differ, their <c>const</c> or
/// <c>enum</c> differ, or both require a property whose <c>const</c> or <c>enum</c> differ.
/// </summary>
internal static class SchemaDisjointness
{
    private const int MaxSteps = 200_000;

    /// <summary>Compares all pairs.</summary>
    /// <param name="node">The schema with the <c>oneOf</c>.</param>
    /// <param name="options">The alternatives of each option.</param>
    /// <param name="steps">Counts the work.</param>
    /// <exception cref="ConstraintException">It cannot be proven of a pair.</exception>
    public static void Check(SchemaNode node, IReadOnlyList<IReadOnlyList<SchemaNode[]>> options, ref int steps)
    {
        for (int i = 0; i < options.Count; i++)
        {
            for (int j = i + 1; j < options.Count; j++)
            {
                steps += Math.Max(1, options[i].Count * options[j].Count);
                if (steps > MaxSteps)
                    throw node.Fail("'oneOf' has too many options to compare");
                if (options[i].Any(one => options[j].Any(other => !AreDisjoint(one, other))))
                    throw node.Fail($"'oneOf' is supported where no value can be of two options; options {i} and {j} are not known to be apart by their type or by a required property with 'const' or 'enum' (use 'anyOf')");
            }
        }
    }

    private static bool AreDisjoint(SchemaNode[] one, SchemaNode[] other)
    {
        if ((SchemaTypes.Of(one) & SchemaTypes.Of(other)) == 0)
            return true;
        if (Values(one) is { } values && Values(other) is { } others)
            return !values.Overlaps(others);
        bool areObjects = (SchemaTypes.Of(one) & SchemaTypes.Of(other)) == SchemaType.Object;
        return areObjects && Tags(one).Any(tag => Tags(other).Any(match => match.Name == tag.Name && !match.Values.Overlaps(tag.Values)));
    }

    // The required properties whose values are listed.
    private static IEnumerable<(string Name, HashSet<string> Values)> Tags(SchemaNode[] nodes) =>
        from node in nodes
        where node.Get("required") is { ValueKind: JsonValueKind.Array } && node.Get("properties") is { ValueKind: JsonValueKind.Object }
        let required = node.Get("required")!.Value.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()).ToHashSet()
        from property in node.Get("properties")!.Value.EnumerateObject()
        where required.Contains(property.Name)
        let child = Follow(node.Child("properties", property.Name, property.Value))
        let values = Values([child])
        where values is not null
        select (property.Name, values);

    // A tag may be a reference to an enumeration of its own.
    private static SchemaNode Follow(SchemaNode node)
    {
        for (int i = 0; i < 16 && node.Get("$ref") is { ValueKind: JsonValueKind.String } reference; i++)
            node = node.Document.Resolve(node, reference.GetString()!);
        return node;
    }

    private static HashSet<string>? Values(SchemaNode[] nodes)
    {
        foreach (SchemaNode node in nodes)
        {
            if (node.Get("const") is { } single)
                return [SchemaValue.KeyOf(single)];
            if (node.Get("enum") is { ValueKind: JsonValueKind.Array } list)
                return [.. list.EnumerateArray().Select(SchemaValue.KeyOf)];
        }

        return null;
    }
}
