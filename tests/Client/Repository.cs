namespace KvTiers.Cli.Tests;

/// <summary>Where the repository and what lies beside it are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>A file of <c>../shared</c>; the test skips where there is none.</summary>
    public static string Shared(string path)
    {
        string file = Path.Combine(Root, "..", "shared", path);
        Assert.SkipUnless(File.Exists(file), $"../shared/{path} is not beside the repository.");
        return file;
    }

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tests are not in the repository.");
    }
}
