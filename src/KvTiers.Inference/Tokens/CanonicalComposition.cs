using System.Globalization;
using System.Reflection;
using System.Text;

namespace KvTiers.Inference.Tokens;

/// <summary>
/// Unicode normalization form C: decompose canonically, put marks in the order of their combining classes, compose what composes.
/// </summary>
/// <remarks>
/// <see cref="string.Normalize()"/> does nothing for other than ASCII under invariant globalization, which this project runs with; so the
/// tables are here, in <c>canonical-composition.txt</c>. Unicode Standard Annex 15; Hangul by arithmetic, section 3.12 of the standard.
/// </remarks>
internal static class CanonicalComposition
{
    // Nothing below U+0300 is changed by form C: the first mark is U+0300, and the composites below it are composed already.
    private const char FirstAffected = '\u0300';

    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int HangulCount = LeadCount * VowelCount * TailCount;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>The text in form C; the same instance when nothing can change.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public static string Compose(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstAffected, char.MaxValue) < 0)
            return text;

        Tables tables = Data.Value;
        var points = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            Decompose(tables, rune.Value, points);
        Order(tables, points);
        int count = ComposeInPlace(tables, points);

        var composed = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        for (int i = 0; i < count; i++)
            composed.Append(units[..new Rune(points[i]).EncodeToUtf16(units)]);
        return composed.ToString();
    }

    private static void Decompose(Tables tables, int point, List<int> into)
    {
        int syllable = point - HangulBase;
        if ((uint)syllable < HangulCount)
        {
            into.Add(LeadBase + (syllable / (VowelCount * TailCount)));
            into.Add(VowelBase + (syllable % (VowelCount * TailCount) / TailCount));
            if (syllable % TailCount != 0)
                into.Add(TailBase + (syllable % TailCount));
        }
        else if (point >= 0xC0 && tables.Decompositions.TryGetValue(point, out int[]? parts))
        {
            foreach (int part in parts)
                Decompose(tables, part, into);
        }
        else
        {
            into.Add(point);
        }
    }

    // Stable insertion by class inside each run of marks.
    private static void Order(Tables tables, List<int> points)
    {
        int start = 0;
        while (start < points.Count)
        {
            if (tables.ClassOf(points[start]) == 0)
            {
                start++;
                continue;
            }

            int end = start;
            while (end < points.Count && tables.ClassOf(points[end]) != 0)
                end++;
            int[] marks = [.. points.GetRange(start, end - start).OrderBy(tables.ClassOf)];
            for (int i = 0; i < marks.Length; i++)
                points[start + i] = marks[i];
            start = end;
        }
    }

    private static int ComposeInPlace(Tables tables, List<int> points)
    {
        int starter = -1;
        int lastClass = 0;
        int count = 0;
        foreach (int point in points.ToArray())
        {
            int combiningClass = tables.ClassOf(point);
            // Blocked when something of the same or a higher class stands between the starter and this one.
            bool adjacent = starter == count - 1;
            if (starter >= 0 && (adjacent || (lastClass != 0 && lastClass < combiningClass)) && Pair(tables, points[starter], point) is { } composite)
            {
                points[starter] = composite;
                continue;
            }

            if (combiningClass == 0)
                starter = count;
            lastClass = combiningClass;
            points[count++] = point;
        }

        return count;
    }

    private static int? Pair(Tables tables, int first, int second)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount)
            return HangulBase + (((lead * VowelCount) + vowel) * TailCount);
        int syllable = first - HangulBase;
        int tail = second - TailBase;
        if ((uint)syllable < HangulCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
            return first + tail;
        return tables.Compositions.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private sealed record Tables(
        Dictionary<int, byte> Classes,
        Dictionary<int, int[]> Decompositions,
        Dictionary<(int First, int Second), int> Compositions)
    {
        public int ClassOf(int point) => point < FirstAffected ? 0 : Classes.GetValueOrDefault(point);

        public static Tables Read()
        {
            var tables = new Tables([], [], []);
            using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("canonical-composition.txt")
                ?? throw new InvalidOperationException("The resource canonical-composition.txt is not in the assembly.");
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                int separator = line.IndexOfAny(['-', '=', '>']);
                if (line.StartsWith('#') || separator < 0)
                    continue;
                int point = Hex(line[..separator]);
                string[] values = line[(separator + 1)..].Split(' ');
                if (line[separator] == '-')
                {
                    for (int c = point; c <= Hex(values[0]); c++)
                        tables.Classes[c] = byte.Parse(values[1], CultureInfo.InvariantCulture);
                    continue;
                }

                int[] parts = [.. values.Select(Hex)];
                tables.Decompositions[point] = parts;
                if (line[separator] == '=')
                    tables.Compositions[(parts[0], parts[1])] = point;
            }

            return tables;
        }

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
