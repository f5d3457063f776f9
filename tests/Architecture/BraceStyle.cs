using System.Text.RegularExpressions;

namespace KvTiers.Architecture.Tests;

/// <summary>
/// The bodies of a file's <c>if</c>, <c>for</c>, <c>while</c> and their like, read off its indentation: a body of one line has no braces, a body of several lines
/// has them, and where one branch of an <c>if</c> needs them all its branches have them.
/// </summary>
internal static partial class BraceStyle
{
    /// <summary>The lines, counted from 1, whose statement has braces that it does not need, or lacks those that it needs.</summary>
    public static IEnumerable<int> Faults(string text)
    {
        string[] lines = CommentOrString().Replace(text, match => NoLineBreak().Replace(match.Value, match.Value[0] == '/' ? "/" : "s")).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (!Head().IsMatch(lines[i]) || lines[i].TrimStart().StartsWith("else", StringComparison.Ordinal))
                continue;
            Branch[] branches = [.. Branches(lines, i)];
            bool isChain = branches.Length > 1;
            bool areNeeded = branches.Any(branch => branch.IsLong || (isChain && branch.HoldsStatement));
            if (branches.Any(branch => branch.HasBraces != areNeeded))
                yield return i + 1;
        }
    }

    private static IEnumerable<Branch> Branches(string[] lines, int start)
    {
        for (int line = start; ;)
        {
            Match head = Head().Match(lines[line]);
            if (!head.Success || Body(lines, line, head) is not { } body)
                yield break;
            yield return body;
            line = NextLine(lines, body.End);
            if (!head.Groups[2].Value.EndsWith("if", StringComparison.Ordinal) || line == lines.Length || !lines[line][Math.Min(Indent(lines[start]), lines[line].Length)..].StartsWith("else", StringComparison.Ordinal))
                yield break;
        }
    }

    // Null for a statement without a body of its own: one that stands in the head's line, or that shares its body with the next line's head.
    private static Branch? Body(string[] lines, int headLine, Match head)
    {
        int last = headLine, column = head.Length, depth = 0, indent = Indent(lines[headLine]);
        bool hasCondition = head.Groups[2].Value is not ("else" or "do");
        while (hasCondition)
        {
            if (column == lines[last].Length)
            {
                last++;
                column = 0;
                continue;
            }

            depth += lines[last][column] switch { '(' => 1, ')' => -1, _ => 0 };
            hasCondition = depth > 0 || lines[last][column++] != ')';
            column += depth > 0 ? 1 : 0;
        }

        if (TrailingComment().Replace(lines[last][column..], "").Trim().Length > 0)
            return null;
        int first = NextLine(lines, last), end = first;
        if (Indent(lines[first]) <= indent && lines[first].Trim() != "{")
            return null;
        bool hasBraces = lines[first].Trim() == "{" && Indent(lines[first]) == indent;
        while (hasBraces ? lines[end].TrimEnd() != new string(' ', indent) + "}" : Indent(lines[NextLine(lines, end)]) > indent)
            end = NextLine(lines, end);
        string[] body = [.. lines[(hasBraces ? first + 1 : first)..(hasBraces ? end : end + 1)].Where(line => line.Trim().Length > 0)];
        bool isLong = body.Length != 1 || body[0].TrimStart()[0] is '/' or '#';
        return new(end, hasBraces, isLong, body.Length > 0 && Head().IsMatch(body[0]));
    }

    private static int NextLine(string[] lines, int line)
    {
        do
            line++;
        while (line < lines.Length - 1 && lines[line].Trim().Length == 0);
        return line;
    }

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

    private readonly record struct Branch(int End, bool HasBraces, bool IsLong, bool HoldsStatement);

    [GeneratedRegex("""
        //[^\n]*|/\*[\s\S]*?\*/|("{3,})[\s\S]*?\1|\$?@\$?"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'
        """)]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"[^\n]")]
    private static partial Regex NoLineBreak();

    [GeneratedRegex("//.*")]
    private static partial Regex TrailingComment();

    [GeneratedRegex(@"^( *)((?:else if|if|for|foreach|await foreach|while|using|await using|lock|fixed)(?= \()|else\b|do\b)")]
    private static partial Regex Head();
}
