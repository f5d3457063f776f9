using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace KvTiers.Cluster.Tests.Compose;

/// <summary><c>docker-compose.yml</c>, its merges resolved and its variables filled in.</summary>
internal sealed class ComposeFile
{
    private readonly Dictionary<object, object> _root;

    private ComposeFile(Dictionary<object, object> root) => _root = root;

    /// <summary>The repository's, with values for the variables that it asks for.</summary>
    public static ComposeFile Load(IReadOnlyDictionary<string, string> variables)
    {
        string text = File.ReadAllText(Repository.PathOf("docker-compose.yml"));
        foreach ((string name, string value) in variables)
            text = System.Text.RegularExpressions.Regex.Replace(text, $@"\$\{{{name}:\?[^}}]*\}}", value);
        Assert.DoesNotContain("${", text, StringComparison.Ordinal);
        var parser = new MergingParser(new Parser(new StringReader(text)));
        return new ComposeFile(new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(parser));
    }

    /// <summary>Names of the services.</summary>
    public IReadOnlyList<string> Services => Keys("services");

    /// <summary>The map at a path; null when there is none.</summary>
    public Dictionary<object, object>? Map(params string[] path) => Find(path) as Dictionary<object, object>;

    /// <summary>The list at a path, as texts; empty when there is none.</summary>
    public IReadOnlyList<string> List(params string[] path) => Find(path) is List<object> list ? [.. list.Select(item => item as string ?? "")] : [];

    /// <summary>The text at a path; null when there is none.</summary>
    public string? Text(params string[] path) => Find(path) as string;

    /// <summary>The keys at a path.</summary>
    public IReadOnlyList<string> Keys(params string[] path) => [.. (Map(path) ?? []).Keys.Cast<string>()];

    private object? Find(string[] path)
    {
        object? at = _root;
        foreach (string key in path) at = (at as Dictionary<object, object>)?.GetValueOrDefault(key);
        return at;
    }
}
