namespace KvTiers.Silo.Configuration;

/// <summary>The folder that the server keeps its data in.</summary>
internal static class DataFolder
{
    /// <summary>Creates the folder where it is missing, and tries whether it can be written.</summary>
    /// <exception cref="StartException">It cannot.</exception>
    public static void Prepare(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string trial = Path.Combine(folder, $".writable-{Guid.NewGuid():N}");
            File.WriteAllBytes(trial, []);
            File.Delete(trial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(new SettingError("KvTiers:Data", folder, $"a folder that can be written ({e.Message})").ToString());
        }
    }
}
