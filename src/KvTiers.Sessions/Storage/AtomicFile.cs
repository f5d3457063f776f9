namespace KvTiers.Sessions.Storage;

/// <summary>Files that appear whole or not at all, whatever happens meanwhile, and that only their owner may read.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file in place of what is there.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="bytes">What it holds from then on.</param>
    /// <param name="sync">Whether it is on the device when the call returns.</param>
    /// <exception cref="IOException">It could not be written; what was there is there.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool sync)
    {
        string temporary = WriteBeside(path, bytes, sync);
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FlushFolder(path, sync);
    }

    /// <summary>Writes a file unless there is one: of several that try, one is first.</summary>
    /// <returns>False = there was one, and it is as it was.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public static bool TryCreate(string path, ReadOnlySpan<byte> bytes, bool sync)
    {
        string temporary = WriteBeside(path, bytes, sync);
        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }

        FlushFolder(path, sync);
        return true;
    }

    /// <summary>Removes a file, if it is there.</summary>
    /// <exception cref="IOException">It could not be removed.</exception>
    public static void Delete(string path, bool sync)
    {
        if (!File.Exists(path))
            return;
        File.Delete(path);
        FlushFolder(path, sync);
    }

    private static string WriteBeside(string path, ReadOnlySpan<byte> bytes, bool sync)
    {
        string temporary = $"{path}.{Guid.NewGuid():n}.new";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var stream = new FileStream(temporary, options);
            stream.Write(bytes);
            stream.Flush(flushToDisk: sync);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        return temporary;
    }

    private static void FlushFolder(string path, bool sync)
    {
        if (sync)
            DirectoryFlush.Flush(Path.GetDirectoryName(path)!);
    }
}
