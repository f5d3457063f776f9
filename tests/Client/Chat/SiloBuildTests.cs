using KvTiers.Cli.Chat;

namespace KvTiers.Cli.Tests.Chat;

public sealed class SiloBuildTests : IDisposable
{
    private static readonly DateTime Morning = new(2026, 1, 2, 8, 0, 0, DateTimeKind.Utc);

    private readonly string _root = Directory.CreateTempSubdirectory("kvtiers-test").FullName;

    private string Output => $"silo/bin/Release/net{Environment.Version.Major}.0/";

    public void Dispose() => Directory.Delete(_root, true);

    [Fact]
    public void AServerBesideTheProgramComesFirst()
    {
        Write("published/kvtiers-silo.dll", 0);
        Write("published/kvtiers-silo.runtimeconfig.json", 0);

        SiloBuild? build = SiloBuild.Find(At("published"), At("elsewhere"));

        Assert.Equal(new SiloBuild(At("published/kvtiers-silo.dll"), At("elsewhere"), null), build);
    }

    [Fact]
    public void ABuildNewerThanItsSourcesIsStartedAsItIs()
    {
        WriteRepository();
        Write(Output + "kvtiers-silo.dll", 2);

        Assert.Equal(new SiloBuild(At(Output + "kvtiers-silo.dll"), _root, null), SiloBuild.Find(At("client/bin"), "/"));
    }

    [Theory]
    [InlineData("silo/Program.cs")]
    [InlineData("silo/Http/Routes.cs")]
    [InlineData("src/KvTiers/Prefix/RadixTree.cs")]
    [InlineData("Directory.Packages.props")]
    public void ASourceNewerThanTheBuildMeansBuildingFirst(string source)
    {
        WriteRepository();
        Write(Output + "kvtiers-silo.dll", 2);
        Write(source, 3);

        Assert.Equal(At("silo"), SiloBuild.Find(At("client/bin"), "/")!.Project);
    }

    [Fact]
    public void WithoutABuildTheProjectIsBuilt()
    {
        WriteRepository();

        Assert.Equal(At("silo"), SiloBuild.Find("/", At("src/KvTiers"))!.Project);
    }

    [Fact]
    public void IntermediateFilesAreNoSources()
    {
        WriteRepository();
        Write(Output + "kvtiers-silo.dll", 2);
        Write("silo/obj/generated.cs", 3);

        Assert.Null(SiloBuild.Find(At("client/bin"), "/")!.Project);
    }

    [Fact]
    public void FarFromARepositoryThereIsNone() => Assert.Null(SiloBuild.Find(_root, _root));

    private void WriteRepository()
    {
        Write("KvTiers.sln", 0);
        Write("Directory.Packages.props", 0);
        Write("silo/KvTiers.Silo.csproj", 0);
        Write("silo/Program.cs", 1);
        Write("src/KvTiers/KvTiers.csproj", 1);
    }

    private string At(string path) => Path.Combine(_root, path.Replace('/', Path.DirectorySeparatorChar));

    private void Write(string path, int hour)
    {
        string file = At(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "");
        File.SetLastWriteTimeUtc(file, Morning.AddHours(hour));
    }
}
