using System.Runtime.InteropServices;

namespace KvTiers.Sessions.Storage;

/// <summary>Files that appear whole or not at all, whatever happens meanwhile, and that only their owner may read.</summary>
public static partial class AtomicFile
{
    /// <summary>EEXIST, the same on Linux and macOS.</summary>
    private const int FileExists = 17;

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
        bool created;
        try
        {
            created = TryLink(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }

        if (created)
            FlushFolder(path, sync);
        return created;
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

    /// <summary>Gives a file its name unless another has it. <see cref="File.Move(string, string, bool)"/> is no help on Unix: it looks first and renames then.</summary>
    private static bool TryLink(string temporary, string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Link(temporary, path) == 0)
                return true;
            int error = Marshal.GetLastPInvokeError();
            return error == FileExists ? false : throw new IOException($"The file '{path}' cannot be made, which takes a hard link: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }

        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    private static void FlushFolder(string path, bool sync)
    {
        if (sync)
            DirectoryFlush.Flush(Path.GetDirectoryName(path)!);
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string there, string name);
}
