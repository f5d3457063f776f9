using System.Diagnostics;
using System.Reflection;
using KvTiers.Tests.Shared;

namespace KvTiers.Silo.Tests.Publish;

/// <summary>What <c>dotnet publish silo</c> gives is what the server uses: a file that nobody meant is red.</summary>
public sealed class PublishedFilesTests : IDisposable
{
    private static readonly string Root = typeof(PublishedFilesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
    private static readonly string[] NeverLoaded = ["Microsoft.CodeAnalysis", "Humanizer", "System.Composition"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// A new file is there because a package brings it. When the server loads it, it belongs in <c>published-files.txt</c>; when it does not, in
    /// <c>src/KvTiers.Orleans/NeverLoaded.props</c>. What a running server has loaded is in <c>/proc/PID/maps</c>.
    /// </summary>
    [Fact]
    public async Task TheyAreWhatTheListSays()
    {
        string[] published = await PublishAsync();
        string[] listed = await File.ReadAllLinesAsync(Path.Combine(Root, "tests", "Silo", "Publish", "published-files.txt"));
        Assert.True(
            published.SequenceEqual(listed),
            $"Published and not in the list: {string.Join(", ", published.Except(listed))}\nIn the list and not published: {string.Join(", ", listed.Except(published))}\nAll:\n{string.Join('\n', published)}");
        Assert.DoesNotContain(published, file => file.EndsWith(".resources.dll", StringComparison.Ordinal) || Array.Exists(NeverLoaded, file.StartsWith));
    }

    // Of what is built already, so it takes seconds. Nothing else reads what it leaves beside the build.
    private async Task<string[]> PublishAsync()
    {
        string output = _folder.Path("published");
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = Root, RedirectStandardOutput = true };
        foreach (string argument in (string[])["publish", "silo", "-c", Configuration, "--no-build", "-o", output, "--nologo", "-v", "q", "-nodeReuse:false"])
            start.ArgumentList.Add(argument);

        // Of the build that runs these tests.
        foreach (string variable in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(variable);
        using Process process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        string said = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.True(process.ExitCode == 0, said);
        return
        [
            .. Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(output, file).Replace('\\', '/'))
                .Select(file => file == "kvtiers-silo.exe" ? "kvtiers-silo" : file)
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string Configuration => typeof(PublishedFilesTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
}
