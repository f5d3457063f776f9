using System.Runtime.InteropServices;

namespace KvTiers.Sessions.Storage;

/// <summary>Makes a file's creation, renaming or removal as durable as its content: on Unix that takes a sync of its folder.</summary>
internal static partial class DirectoryFlush
{
    /// <summary>Syncs the folder at <paramref name="path"/>; nothing on Windows, where the file system journals it.</summary>
    /// <exception cref="IOException">The folder cannot be opened or synced.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(path, 0);
        if (descriptor < 0)
            throw Failed(path);
        try
        {
            if (Fsync(descriptor) != 0)
                throw Failed(path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string path) => new($"The folder '{path}' cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
