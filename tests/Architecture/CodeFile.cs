using System.Text.RegularExpressions;

namespace KvTiers.Architecture.Tests;

/// <summary>A file of code as text, without comments and strings: its room, what it declares and what it names.</summary>
internal sealed partial class CodeFile
{
    public CodeFile(string path, string text)
    {
        string[] folders = path.Split('/')[..^1];
        int depth = folders[0] == "src" ? 2 : 1;
        Path = path;
        Project = string.Join('/', folders[..depth]);
        Room = folders.Length == depth ? "root" : string.Join('/', folders[depth..]);
        text = CommentOrString().Replace(text, " ");
        Namespace = NamespaceLine().Match(text).Groups[1].Value;
        Declared = [.. Declaration().Matches(text).Select(match => match.Groups[1].Value)];
        Named = [.. Name().Matches(text).Select(match => match.Value)];
        Seen = [.. UsingLine().Matches(text).Select(match => match.Groups[1].Value)];
        for (string space = Namespace; space.Length > 0; space = space[..Math.Max(0, space.LastIndexOf('.'))])
            Seen.Add(space);
    }

    public string Path { get; }

    /// <summary><c>src/KvTiers</c>, …, <c>silo</c>, <c>client</c>.</summary>
    public string Project { get; }

    /// <summary>The folder below the project's; <c>root</c> is the project's own.</summary>
    public string Room { get; }

    public string Namespace { get; }

    public HashSet<string> Declared { get; }

    public HashSet<string> Named { get; }

    /// <summary>Namespaces whose types it can name.</summary>
    public HashSet<string> Seen { get; }

    [GeneratedRegex("""//[^\n]*|/\*[\s\S]*?\*/|@?\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])'""")]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using\s+(?:static\s+)?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record)\s+([A-Z]\w*)")]
    private static partial Regex Declaration();

    // No member of something, no property that is assigned or declared: it may be called as a type elsewhere is.
    [GeneratedRegex(@"(?<!\.)\b[A-Z]\w+\b(?!\s*=(?![=>])|\s*\{\s*(?:get|set|init)\b)")]
    private static partial Regex Name();
}
