using System.Text.Json;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>The committed tokenizers and what the reference implementation makes of the committed strings.</summary>
internal static class GoldenTokenizers
{
    private static readonly string Root = FindRoot();

    public static readonly string[] Names = ["gpt2", "gpt2-prefix-space", "llama3", "qwen2", "smollm", "mixed"];

    public static string Folder(string name) => Path.Combine(Root, "tests", "Golden", "tokenizers", name);

    public static string RepositoryPath(params string[] parts) => Path.Combine([Root, .. parts]);

    public static JsonElement Json(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "tests", "Golden", "tokenizers", name)));
        return document.RootElement.Clone();
    }

    public static string[] Strings() => Json("strings.json").Deserialize<string[]>()!;

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KvTiers.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The repository root, with KvTiers.sln, is not above the test assembly.");
    }
}
