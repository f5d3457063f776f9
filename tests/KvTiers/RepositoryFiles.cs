namespace KvTiers.Tests;

/// <summary>Finds what lies in, or beside, the repository that the tests were built in.</summary>
internal static class RepositoryFiles
{
    public static string Root
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")))
                    return folder.FullName;
            }
            throw new DirectoryNotFoundException("The tests do not run from inside the repository.");
        }
    }

    public static string ConversationTrace => Path.Combine(Root, "..", "shared", "traces", "conversation_trace.jsonl");
}
