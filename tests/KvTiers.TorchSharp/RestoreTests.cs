using System.Text.RegularExpressions;

namespace KvTiers.TorchSharp.Tests;

/// <summary>Who does not ask for libtorch does not get it: half a gigabyte.</summary>
public sealed partial class RestoreTests
{
    private static readonly string[] Tops = ["src", "silo", "client", "samples", "tests", "tools", "bench"];

    [Fact]
    public void TheDefaultRestoreBringsNothingOfLibtorchAndServerAndCommandLineNothingOfTorchSharp()
    {
        string[] restored = [.. Tops.SelectMany(top => Directory.EnumerateFiles(Path.Combine(Repository.Root, top), "project.assets.json", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))];
        Assert.SkipUnless(restored.Contains("silo/obj/project.assets.json"), "The default build is not restored here: dotnet restore KvTiers.sln");
        string[] withLibtorch = [.. restored.Where(file => LibtorchPackage().IsMatch(Read(file)))];
        string[] withTorchSharp = [.. restored.Where(file => Read(file).Contains("\"TorchSharp/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Empty(withLibtorch);
        Assert.Superset(new HashSet<string> { "silo/obj/project.assets.json", "client/obj/project.assets.json" }, restored.ToHashSet());
        Assert.Equal(
            [
                "samples/torch-generate/obj/project.assets.json",
                "src/KvTiers.TorchSharp.Models/obj/project.assets.json",
                "src/KvTiers.TorchSharp/obj/project.assets.json",
                "tests/KvTiers.TorchSharp/obj/project.assets.json",
                "tests/Packages/obj/project.assets.json",
            ],
            withTorchSharp);
    }

    // Name and version, as of what is restored; the list of all versions has names alone.
    [GeneratedRegex("\"libtorch-[^\"/]*/", RegexOptions.IgnoreCase)]
    private static partial Regex LibtorchPackage();

    private static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));
}
