using System.Diagnostics;
using System.Text;
using KvTiers.Tests.Shared;

namespace KvTiers.Packages.Tests;

/// <summary>All libraries as packages in a folder, and an empty project that takes them from there and has the first example of each README.</summary>
public sealed class PackedLibraries : IAsyncLifetime
{
    private const string Example = "```csharp\n";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kvtiers-packages-");
    private readonly RedisServer? _redis = RedisServer.IsAvailable ? new RedisServer() : null;

    /// <summary>Another one each time: a package of the same version that was restored before would be taken for it.</summary>
    public string Version { get; } = $"0.0.1-test.{DateTime.UtcNow.Ticks}";

    /// <summary>Where the packages are.</summary>
    public string Feed => Path.Combine(_folder.FullName, "feed");

    private static string PackagesOfOthers =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private string Packages => Path.Combine(_folder.FullName, "packages");

    private string User => Path.Combine(_folder.FullName, "user");

    public async ValueTask InitializeAsync()
    {
        await DotnetAsync("pack", Path.Combine(Repository.Root, "KvTiers.sln"), "-c", "Release", "--no-build", "--nologo", $"-p:PackageVersion={Version}", "-o", Feed);
        Directory.CreateDirectory(User);
        await File.WriteAllTextAsync(Path.Combine(User, "User.csproj"), Project());
        await File.WriteAllTextAsync(Path.Combine(User, "Program.cs"), Program());
        foreach (string library in Repository.Libraries)
            await File.WriteAllTextAsync(Path.Combine(User, $"{library}.cs"), Class(library));
        await DotnetAsync("build", User, "-c", "Release", "--nologo", "-o", Path.Combine(User, "out"));
    }

    /// <summary>Runs the example of a library's README.</summary>
    /// <returns>What it prints.</returns>
    public Task<string> RunAsync(string library) => DotnetAsync([Path.Combine(User, "out", "User.dll"), library], Packages);

    public ValueTask DisposeAsync()
    {
        _redis?.Dispose();
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    // Ours come from the folder, and are thrown away with it; what others published is where this repository's own build has it.
    private string Project() => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <NuGetAudit>false</NuGetAudit>
            <SatelliteResourceLanguages>en</SatelliteResourceLanguages>
            <RestoreAdditionalProjectSources>{Feed}</RestoreAdditionalProjectSources>
            <RestorePackagesPath>{Packages}</RestorePackagesPath>
            <RestoreFallbackFolders>{PackagesOfOthers}</RestoreFallbackFolders>
          </PropertyGroup>
          <ItemGroup>
            {string.Concat(Repository.Libraries.Select(library => $"<PackageReference Include=\"{library}\" Version=\"{Version}\" />"))}
          </ItemGroup>
        </Project>
        """;

    private static string Program() =>
        $"await (args[0] switch {{ {string.Concat(Repository.Libraries.Select(library => $"\"{library}\" => {NameOf(library)}.RunAsync(), "))} _ => throw new ArgumentException(args[0]) }});";

    private string Class(string library)
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", library, "README.md"));
        int start = readme.IndexOf(Example, StringComparison.Ordinal) + Example.Length;
        string[] lines = readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)].Split('\n');
        var text = new StringBuilder();
        text.AppendJoin('\n', lines.TakeWhile(line => line.Length > 0));
        text.Append($"\nstatic class {NameOf(library)} {{ public static async Task RunAsync() {{ await Task.CompletedTask;\n");
        text.AppendJoin('\n', lines.SkipWhile(line => line.Length > 0));
        return text.Append("} }\n").Replace("127.0.0.1:6379", _redis?.Configuration ?? "127.0.0.1:6379").ToString();
    }

    private static string NameOf(string library) => "Example_" + library.Replace('.', '_');

    private static Task<string> DotnetAsync(params string[] arguments) => DotnetAsync(arguments, packages: null);

    // Of another folder of packages, a program takes none of what this machine has by chance: TorchSharp looks for libtorch there.
    private static async Task<string> DotnetAsync(string[] arguments, string? packages)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        if (packages is not null)
            start.Environment["NUGET_PACKAGES"] = packages;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(2 * HangLimit.Time);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }

        string all = await output + await errors;
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {all}");
        return all;
    }
}
