using System.Text.Json;

namespace KvTiers.Tests;

/// <summary>The chat trace that stands beside the repository on the project's own machines.</summary>
internal static class TraceFile
{
    /// <summary>Its path, or null where it is not.</summary>
    public static string? Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")))
            {
                string path = Path.Combine(folder.FullName, "..", "shared", "traces", "conversation_trace.jsonl");
                return File.Exists(path) ? path : null;
            }
        }

        return null;
    }

    /// <summary>The block ids of every request, in file order.</summary>
    public static IEnumerable<int[]> Read(string path)
    {
        foreach (string line in File.ReadLines(path))
        {
            using var request = JsonDocument.Parse(line);
            yield return [.. request.RootElement.GetProperty("hash_ids").EnumerateArray().Select(id => id.GetInt32())];
        }
    }
}
