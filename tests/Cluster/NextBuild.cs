using System.Diagnostics;
using System.Reflection;
using System.Text;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>The server as the next version may be: of another assembly version, with a method more that a grain has, and a member more in what silos send each other.</summary>
/// <remarks>Made of the sources with a few lines put in, apart from every other build.</remarks>
internal sealed class NextBuild : IDisposable
{
    private const string Orleans = "src/KvTiers.Orleans";

    private static readonly (string File, string Before, string Inserted)[] Changes =
    [
        ("Streaming/TurnBatch.cs", "    /// <summary>The events, in their order.</summary>", "    [Id(5)]\n    internal string? Next { get; init; } = \"of the next version\";\n\n"),
        ("Grains/IConversationGrain.cs", "    /// <summary>Deletes the conversation.</summary>", "    /// <summary>Is new.</summary>\n    [Alias(\"next\")]\n    Task NextAsync();\n\n"),
        ("Grains/ConversationGrain.cs", "    public override Task OnActivateAsync", "    public Task NextAsync() => Task.CompletedTask;\n\n"),
    ];

    private readonly TemporaryFolder _folder = new();

    private NextBuild()
    {
    }

    /// <summary>Where its <c>kvtiers-silo.dll</c> is.</summary>
    public string Folder => _folder.Path(Path.Combine("bin", "KvTiers.Silo", Configuration.ToLowerInvariant()));

    private static string Configuration => typeof(NextBuild).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>Builds it.</summary>
    public static async Task<NextBuild> MakeAsync()
    {
        var next = new NextBuild();
        try
        {
            await next.BuildAsync();
            return next;
        }
        catch
        {
            next.Dispose();
            throw;
        }
    }

    public void Dispose() => _folder.Dispose();

    private async Task BuildAsync()
    {
        foreach ((string file, string before, string inserted) in Changes)
        {
            string source = await File.ReadAllTextAsync(Repository.PathOf($"{Orleans}/{file}"));
            Assert.Contains(before, source, StringComparison.Ordinal);
            source = source.Replace(before, inserted + before, StringComparison.Ordinal);
            if (file.EndsWith("/IConversationGrain.cs", StringComparison.Ordinal))
            {
                Assert.Contains("[Version(1)]", source, StringComparison.Ordinal);
                source = source.Replace("[Version(1)]", "[Version(2)]", StringComparison.Ordinal);
            }

            await File.WriteAllTextAsync(_folder.Path(Path.GetFileName(file)), source);
        }

        string targets = _folder.Path("next.targets");
        await File.WriteAllTextAsync(targets, $"""
            <Project>
              <ItemGroup Condition="'$(MSBuildProjectName)' == 'KvTiers.Orleans'">
                {string.Join("\n    ", Changes.Select(change => $"<Compile Remove=\"{change.File}\" /><Compile Include=\"{_folder.Path(Path.GetFileName(change.File))}\" />"))}
              </ItemGroup>
            </Project>
            """);
        await RunAsync(
            "build", "silo", "-c", Configuration, "--artifacts-path", _folder.FullName, "--nologo", "-v", "q", "-nodeReuse:false",
            "-p:Version=9.9.9", "-p:RunAnalyzers=false", "-p:GenerateDocumentationFile=false", $"-p:CustomAfterMicrosoftCommonTargets={targets}");
        string built = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(Path.Combine(Folder, "KvTiers.Orleans.dll")));
        Assert.Contains("NextAsync", built, StringComparison.Ordinal);
    }

    private static async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = Repository.PathOf(""), RedirectStandardOutput = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);

        // Of the build that runs these tests.
        foreach (string variable in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(variable);
        using Process process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(2 * HangLimit.Time);
        string said = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.True(process.ExitCode == 0, said);
    }
}
