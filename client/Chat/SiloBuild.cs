namespace KvTiers.Cli.Chat;

/// <summary>A server on this machine that can be started.</summary>
/// <param name="Assembly">Path of <c>kvtiers-silo.dll</c>.</param>
/// <param name="WorkingDirectory">Where it runs; its data folder is below.</param>
/// <param name="Project">The project to build first; <see langword="null"/> when the assembly is up to date.</param>
internal sealed record SiloBuild(string Assembly, string WorkingDirectory, string? Project)
{
    private const string AssemblyName = "kvtiers-silo.dll";

    /// <summary>The server beside this program, or in the repository that this program or the working directory is in; else <see langword="null"/>.</summary>
    public static SiloBuild? Find(string programDirectory, string workingDirectory)
    {
        string beside = Path.Combine(programDirectory, AssemblyName);
        if (File.Exists(beside) && File.Exists(Path.ChangeExtension(beside, ".runtimeconfig.json")))
            return new SiloBuild(beside, workingDirectory, null);
        if ((RepositoryAround(programDirectory) ?? RepositoryAround(workingDirectory)) is not { } root)
            return null;

        string project = Path.Combine(root, "silo");
        string assembly = Path.Combine(project, "bin", "Release", $"net{Environment.Version.Major}.0", AssemblyName);
        return new SiloBuild(assembly, root, IsUpToDate(assembly, root) ? null : project);
    }

    private static string? RepositoryAround(string directory)
    {
        for (DirectoryInfo? folder = new(directory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")) && Directory.Exists(Path.Combine(folder.FullName, "silo")))
                return folder.FullName;
        }

        return null;
    }

    // The newest of the project's assemblies stands for the build: the compiler skips those whose inputs did not change.
    private static bool IsUpToDate(string assembly, string root)
    {
        if (!File.Exists(assembly))
            return false;
        DateTime built = Directory.EnumerateFiles(Path.GetDirectoryName(assembly)!, "*.dll").Max(File.GetLastWriteTimeUtc);
        IEnumerable<string> sources = Directory.EnumerateFiles(root, "Directory.*")
            .Concat(SourcesBelow(Path.Combine(root, "silo")))
            .Concat(Directory.EnumerateDirectories(Path.Combine(root, "src")).SelectMany(SourcesBelow));
        return sources.All(source => File.GetLastWriteTimeUtc(source) <= built);
    }

    private static IEnumerable<string> SourcesBelow(string project) =>
        Directory.EnumerateFiles(project).Concat(
            Directory.EnumerateDirectories(project)
                .Where(folder => Path.GetFileName(folder) is not ("bin" or "obj"))
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)));
}
