using System.Text.RegularExpressions;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Regular expressions of every construct that is supported, over few characters, so that texts often match.</summary>
internal static class RandomPattern
{
    private static readonly string[] Atoms = ["a", "b", "c", "[ab]", "[^a]", "[b-d]", "\\d", "\\w", ".", "é", "[é-ü]", "0", "(?:ab|c)", "\\.", "-", "\\s"];
    private static readonly string[] Counts = ["", "", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?"];

    public static string Of(Random random, int depth = 3)
    {
        int options = random.Next(4) == 0 ? 2 : 1;
        return string.Join('|', Enumerable.Range(0, options).Select(_ => Sequence(random, depth)));
    }

    /// <summary>.NET's own, with the classes of ECMA-262. It does not backtrack: the patterns are hard on engines that do.</summary>
    public static Regex Oracle(string pattern) => new(
        $"\\A(?:{pattern.Replace("\\d", "[0-9]").Replace("\\w", "[A-Za-z0-9_]").Replace("\\s", "[\t-\r ]")})\\z", RegexOptions.NonBacktracking);

    /// <summary>.NET counts UTF-16 units where a constraint counts characters. No pattern here names one beyond the basic plane.</summary>
    public static string InOnePlane(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.IsBmp ? rune.ToString() : "\uE000"));

    /// <summary>A short text of characters that the patterns are made of.</summary>
    public static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => "aaabbbcd0é.- z"[random.Next(14)]));

    private static string Sequence(Random random, int depth) => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Part(random, depth)));

    private static string Part(Random random, int depth)
    {
        string atom = depth > 0 && random.Next(3) == 0 ? $"({Of(random, depth - 1)})" : Atoms[random.Next(Atoms.Length)];
        return atom + Counts[random.Next(Counts.Length)];
    }
}
