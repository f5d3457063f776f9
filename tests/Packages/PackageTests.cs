using System.IO.Compression;
using System.Xml.Linq;

namespace KvTiers.Packages.Tests;

public sealed class PackageTests(PackedLibraries packed) : IClassFixture<PackedLibraries>
{
    public static TheoryData<string> Libraries => PublicApiTests.Libraries;

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task TheExampleOfItsReadmeRunsFromThePackage(string library)
    {
        Assert.SkipWhen(library.EndsWith("Redis", StringComparison.Ordinal) && !RedisServer.IsAvailable, RedisServer.Reason);
        string expected = library switch
        {
            "KvTiers" => "0 of 100 tokens found\n99 of 100 tokens found",
            "KvTiers.Client" => "No server is there.",
            "KvTiers.Conversations" => "acme/c1",
            "KvTiers.Inference" or "KvTiers.Sessions" => "Marta",
            "KvTiers.Orleans" => "SiloConversations is ready",
            "KvTiers.Redis" => "redis: 0 blocks",
            "KvTiers.Sessions.Redis" => "reachable: True",
            "KvTiers.TorchSharp" or "KvTiers.TorchSharp.Models" => "libtorch is not there.",
            _ => throw new ArgumentException($"What does the example of {library} print?"),
        };
        Assert.Contains(expected, await packed.RunAsync(library), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void APackageHasWhatItsUsersNeed(string library)
    {
        using ZipArchive package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{library}.{packed.Version}.nupkg"));
        string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Superset(new HashSet<string> { $"lib/net10.0/{library}.dll", $"lib/net10.0/{library}.xml", "README.md" }, entries.ToHashSet());
        Assert.True(File.Exists(Path.Combine(packed.Feed, $"{library}.{packed.Version}.snupkg")));
        XElement metadata = MetadataOf(package);
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.Equal(("MIT", "README.md"), (Value("license"), Value("readme")));
        Assert.NotEmpty(Value("description")!);
        Assert.NotEmpty(metadata.Elements().Single(element => element.Name.LocalName == "repository").Attribute("commit")!.Value);
    }

    /// <summary>Who takes the client takes no engine, and who takes the tier takes no conversations.</summary>
    [Theory]
    [InlineData("KvTiers")]
    [InlineData("KvTiers.Conversations")]
    [InlineData("KvTiers.Client", "KvTiers.Conversations")]
    [InlineData("KvTiers.Redis", "KvTiers")]
    [InlineData("KvTiers.TorchSharp", "KvTiers")]
    [InlineData("KvTiers.TorchSharp.Models", "KvTiers.Inference", "KvTiers.TorchSharp")]
    public void APackageTakesNoMoreOfOursThanItNeeds(string library, params string[] ours)
    {
        using ZipArchive package = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{library}.{packed.Version}.nupkg"));
        string[] taken = [.. MetadataOf(package).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value)];
        Assert.Equal(ours, taken.Where(id => id.StartsWith("KvTiers", StringComparison.Ordinal)));
    }

    private static XElement MetadataOf(ZipArchive package)
    {
        using Stream nuspec = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(nuspec).Root!.Elements().Single();
    }
}
