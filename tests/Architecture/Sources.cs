using System.Reflection;
using System.Text.RegularExpressions;

namespace KvTiers.Architecture.Tests;

/// <summary>The repository's files of code.</summary>
internal static partial class Sources
{
    public static readonly string Root =
        typeof(Sources).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>The paths of all files of code in some folders at the root.</summary>
    public static IEnumerable<string> Of(params string[] tops) => tops
        .SelectMany(top => Directory.EnumerateFiles(Path.Combine(Root, top), "*.cs", SearchOption.AllDirectories))
        .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
        .Where(file => !Output().IsMatch(file));

    public static string TextOf(string file) => File.ReadAllText(Path.Combine(Root, file));

    [GeneratedRegex("/(bin|obj)/")]
    private static partial Regex Output();
}
