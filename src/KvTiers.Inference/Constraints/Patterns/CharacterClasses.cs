using System.Globalization;
using System.Text;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>The classes that patterns have names for.</summary>
/// <remarks>
/// As in ECMA-262, with one exception: <c>\s</c> is the six spaces of ASCII, which are spaces to every engine, and <c>\S</c> leaves out all that are
/// spaces to ECMA-262. So whoever checks the answer with another engine finds it valid.
/// </remarks>
internal static class CharacterClasses
{
    public static readonly CharacterSet Digit = CharacterSet.Of(('0', '9'));
    public static readonly CharacterSet Word = CharacterSet.Of(('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_'));
    public static readonly CharacterSet Space = CharacterSet.Of(('\t', '\r'), (' ', ' '));
    public static readonly CharacterSet Dot = CharacterSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    public static readonly CharacterSet AnySpace = Space.Union(CharacterSet.Of(
        (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)));

    private static readonly Dictionary<string, UnicodeCategory[]> Categories = new()
    {
        ["Lu"] = [UnicodeCategory.UppercaseLetter],
        ["Ll"] = [UnicodeCategory.LowercaseLetter],
        ["Lt"] = [UnicodeCategory.TitlecaseLetter],
        ["Lm"] = [UnicodeCategory.ModifierLetter],
        ["Lo"] = [UnicodeCategory.OtherLetter],
        ["Mn"] = [UnicodeCategory.NonSpacingMark],
        ["Mc"] = [UnicodeCategory.SpacingCombiningMark],
        ["Me"] = [UnicodeCategory.EnclosingMark],
        ["Nd"] = [UnicodeCategory.DecimalDigitNumber],
        ["Nl"] = [UnicodeCategory.LetterNumber],
        ["No"] = [UnicodeCategory.OtherNumber],
        ["Pc"] = [UnicodeCategory.ConnectorPunctuation],
        ["Pd"] = [UnicodeCategory.DashPunctuation],
        ["Ps"] = [UnicodeCategory.OpenPunctuation],
        ["Pe"] = [UnicodeCategory.ClosePunctuation],
        ["Pi"] = [UnicodeCategory.InitialQuotePunctuation],
        ["Pf"] = [UnicodeCategory.FinalQuotePunctuation],
        ["Po"] = [UnicodeCategory.OtherPunctuation],
        ["Sm"] = [UnicodeCategory.MathSymbol],
        ["Sc"] = [UnicodeCategory.CurrencySymbol],
        ["Sk"] = [UnicodeCategory.ModifierSymbol],
        ["So"] = [UnicodeCategory.OtherSymbol],
        ["Zs"] = [UnicodeCategory.SpaceSeparator],
        ["Zl"] = [UnicodeCategory.LineSeparator],
        ["Zp"] = [UnicodeCategory.ParagraphSeparator],
        ["Cc"] = [UnicodeCategory.Control],
        ["Cf"] = [UnicodeCategory.Format],
    };

    private static readonly Lazy<Dictionary<UnicodeCategory, CharacterSet>> Sets = new(FindSets);

    /// <summary>A general category, by its short name: <c>L</c>, <c>Lu</c>; null for others.</summary>
    public static CharacterSet? OfCategory(string name)
    {
        UnicodeCategory[] members = name.Length == 1
            ? [.. Categories.Where(category => category.Key[0] == name[0]).SelectMany(category => category.Value)]
            : Categories.GetValueOrDefault(name, []);
        return members.Length == 0 ? null : CharacterSet.Of(members.SelectMany(member => Sets.Value[member].Ranges));
    }

    private static Dictionary<UnicodeCategory, CharacterSet> FindSets()
    {
        var ranges = Enum.GetValues<UnicodeCategory>().ToDictionary(category => category, _ => new List<(int First, int Last)>());
        for (int character = 0; character <= 0x10FFFF; character++)
        {
            if (!Rune.IsValid(character))
                continue;
            List<(int First, int Last)> known = ranges[CharUnicodeInfo.GetUnicodeCategory(character)];
            if (known.Count > 0 && known[^1].Last == character - 1)
                known[^1] = (known[^1].First, character);
            else
                known.Add((character, character));
        }

        return ranges.ToDictionary(category => category.Key, category => CharacterSet.Of(category.Value));
    }
}
