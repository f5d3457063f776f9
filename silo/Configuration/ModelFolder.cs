namespace KvTiers.Silo.Configuration;

/// <summary>Finds the model's folder, whatever the working directory.</summary>
/// <remarks>A relative path is tried from the working directory, then from the assembly's folder and each folder above it: so <c>models/demo</c>
/// is found in a clone and beside a published server alike.</remarks>
internal static class ModelFolder
{
    /// <summary>What the setting must be, as an error says it.</summary>
    public const string Rule = "a folder with config.json, tokenizer.json and at least one .safetensors file (looked for from the working directory and from the server's own folder upwards)";

    /// <summary>The absolute path of the folder, or null when no place holds a model.</summary>
    public static string? Find(string folder)
    {
        string direct = Path.GetFullPath(folder);
        if (IsModel(direct)) return direct;
        if (Path.IsPathRooted(folder)) return null;
        for (DirectoryInfo? root = new(AppContext.BaseDirectory); root is not null; root = root.Parent)
        {
            string candidate = Path.GetFullPath(Path.Combine(root.FullName, folder));
            if (IsModel(candidate)) return candidate;
        }

        return null;
    }

    private static bool IsModel(string folder) =>
        File.Exists(Path.Combine(folder, "config.json"))
        && File.Exists(Path.Combine(folder, "tokenizer.json"))
        && Directory.EnumerateFiles(folder, "*.safetensors").Any();
}
