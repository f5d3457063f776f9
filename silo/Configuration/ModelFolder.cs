namespace KvTiers.Silo.Configuration;

/// <summary>Finds the model's folder or file, whatever the working directory.</summary>
/// <remarks>A relative path is tried from the working directory, then from the assembly's folder and each folder above it: so <c>models/demo</c>
/// is found in a clone and beside a published server alike.</remarks>
internal static class ModelFolder
{
    /// <summary>What the setting must be, as an error says it.</summary>
    public const string Rule = "a folder with config.json, tokenizer.json and at least one .safetensors file, or a .gguf file (looked for from the working directory and from the server's own folder upwards)";

    /// <summary>The path is that of a GGUF file, which holds a whole model.</summary>
    public static bool IsFile(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <summary>A model's name: its folder's, or its file's without the ending.</summary>
    public static string NameOf(string path) =>
        IsFile(path) ? Path.GetFileNameWithoutExtension(path) : Path.GetFileName(Path.TrimEndingDirectorySeparator(path));

    /// <summary>When a model's weights were written.</summary>
    public static DateTime WrittenAt(string path) =>
        IsFile(path) ? File.GetLastWriteTimeUtc(path) : Directory.EnumerateFiles(path, "*.safetensors").Max(File.GetLastWriteTimeUtc);

    /// <summary>The absolute path of the folder or file, or null when no place holds a model.</summary>
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

    private static bool IsModel(string folder) => IsFile(folder)
        ? File.Exists(folder)
        : File.Exists(Path.Combine(folder, "config.json"))
        && File.Exists(Path.Combine(folder, "tokenizer.json"))
        && Directory.EnumerateFiles(folder, "*.safetensors").Any();
}
