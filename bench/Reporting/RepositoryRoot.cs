namespace KvTiers.Bench.Reporting;

/// <summary>Where the repository is that the benchmark runs in or was built in.</summary>
internal static class RepositoryRoot
{
    /// <summary>A path in the repository.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no repository around the working folder, nor around the program.</exception>
    public static string PathOf(params string[] parts)
    {
        foreach (string start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")))
                    return Path.Combine([folder.FullName, .. parts]);
            }
        }

        throw new DirectoryNotFoundException("There is no KvTiers.sln above the working folder.");
    }
}
