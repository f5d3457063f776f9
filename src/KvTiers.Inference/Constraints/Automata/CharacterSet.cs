namespace KvTiers.Inference.Constraints.Automata;

/// <summary>A set of Unicode scalar values. Immutable.</summary>
internal sealed class CharacterSet
{
    private const int LastCharacter = 0x10FFFF;

    private CharacterSet((int First, int Last)[] ranges) => Ranges = ranges;

    /// <summary>Every scalar value; surrogates are none.</summary>
    public static CharacterSet All { get; } = Of((0, LastCharacter));

    /// <summary>No character.</summary>
    public static CharacterSet None { get; } = new([]);

    /// <summary>Ascending, apart from one another, both ends inside.</summary>
    public (int First, int Last)[] Ranges { get; }

    public bool IsEmpty => Ranges.Length == 0;

    /// <summary>The characters of ranges, in any order. Surrogates are left out.</summary>
    public static CharacterSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        var result = new List<(int First, int Last)>();
        foreach ((int first, int last) in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.First))
        {
            if (result.Count > 0 && first <= result[^1].Last + 1)
                result[^1] = (result[^1].First, Math.Max(result[^1].Last, last));
            else
                result.Add((first, last));
        }

        return new([.. result]);
    }

    public static CharacterSet Of(int character) => Of((character, character));

    public bool Contains(int character) => Array.Exists(Ranges, range => range.First <= character && character <= range.Last);

    public CharacterSet Union(CharacterSet other) => Of(Ranges.Concat(other.Ranges));

    public CharacterSet Complement()
    {
        var rest = new List<(int First, int Last)>();
        int next = 0;
        foreach ((int first, int last) in Ranges)
        {
            if (first > next)
                rest.Add((next, first - 1));
            next = last + 1;
        }

        if (next <= LastCharacter)
            rest.Add((next, LastCharacter));
        return Of(rest);
    }

    public CharacterSet Except(CharacterSet other) => Intersect(other.Complement());

    public CharacterSet Intersect(CharacterSet other)
    {
        var common = new List<(int First, int Last)>();
        for (int i = 0, j = 0; i < Ranges.Length && j < other.Ranges.Length;)
        {
            int first = Math.Max(Ranges[i].First, other.Ranges[j].First);
            int last = Math.Min(Ranges[i].Last, other.Ranges[j].Last);
            if (first <= last)
                common.Add((first, last));
            if (Ranges[i].Last < other.Ranges[j].Last)
                i++;
            else
                j++;
        }

        return new([.. common]);
    }

    private static IEnumerable<(int First, int Last)> WithoutSurrogates((int First, int Last) range)
    {
        if (range.First <= Math.Min(range.Last, 0xD7FF))
            yield return (range.First, Math.Min(range.Last, 0xD7FF));
        if (Math.Max(range.First, 0xE000) <= range.Last)
            yield return (Math.Max(range.First, 0xE000), range.Last);
    }
}
