using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Constraints.Patterns;

namespace KvTiers.Inference.Constraints.Schemas;

/// <content>Strings, as values and as names of properties.</content>
internal sealed partial class SchemaCompiler
{
    private static readonly string[] NumberFormats = ["int32", "int64", "float", "double"];

    private int AnyString => Shared("string", (from, to) => AddQuoted(from, to, (start, end) => builder.Add(Expression.Anything, start, end, Spelling.JsonAny)));

    private int AnyCharacter => Shared("character", (from, to) => builder.AddCharacter(from, CharacterSet.All, to, Spelling.JsonAny));

    private void AddString(SchemaNode[] nodes, int from, int to)
    {
        int min = Most(nodes, "minLength");
        int? max = Least(nodes, "maxLength");
        IReadOnlyList<(Expression Body, bool IsNegated)> parts = PartsOf(nodes);
        if (max < min)
            return;
        if (parts.Count == 0 && min == 0 && max is null)
            builder.AddCall(from, AnyString, to);
        else if (parts.Count == 0)
            AddQuoted(from, to, (start, end) => builder.AddRepeat(start, AnyCharacter, min, max, end));
        else if (parts.Count == 1 && min == 0 && max is null)
            AddQuoted(from, to, (start, end) => builder.Add(parts[0].Body, start, end, Spelling.JsonShortest));
        else
            AddQuoted(from, to, (start, end) => DfaOf(nodes[0], parts, min, max).AddTo(builder, start, end, Spelling.JsonShortest));
    }

    // All patterns and formats. The first is not negated.
    private static List<(Expression Body, bool IsNegated)> PartsOf(IEnumerable<SchemaNode> nodes)
    {
        var parts = new List<(Expression Body, bool IsNegated)>();
        foreach (SchemaNode node in nodes)
        {
            if (node.Text("pattern") is { } pattern)
                parts.AddRange(Locate(node, () => PatternCompiler.Parts(pattern, isWhole: false)));
            if (node.Text("format") is not { } format || NumberFormats.Contains(format))
                continue;
            if (!StringFormats.TryFind(format, out string? whole))
                throw node.Fail($"'format' is '{format}', which is not supported; known are {string.Join(", ", StringFormats.Names)}");
            if (whole is not null)
                parts.AddRange(PatternCompiler.Parts(whole, isWhole: true));
        }

        return parts;
    }

    private static CharacterDfa DfaOf(SchemaNode node, IReadOnlyList<(Expression Body, bool IsNegated)> parts, int min, int? max) =>
        Locate(node, () => CharacterDfa.Intersect([.. parts.Select(part => (CharacterDfa.Of(part.Body), part.IsNegated))], min, max));

    private static T Locate<T>(SchemaNode node, Func<T> part)
    {
        try
        {
            return part();
        }
        catch (ConstraintException e)
        {
            throw new ConstraintException($"The schema at '{node.Pointer}': {e.Message}", e);
        }
    }

    private void AddQuoted(int from, int to, Action<int, int> add)
    {
        int start = builder.AddState();
        int end = builder.AddState();
        builder.AddBytes(from, '"', '"', start);
        add(start, end);
        builder.AddBytes(end, '"', '"', to);
    }
}
