using System.Diagnostics;
using KvTiers.Cli.Outcomes;
using KvTiers.Sessions.Access;

namespace KvTiers.Cli.Access;

/// <summary>A server's key file, as commands read and change it. What is wrong with it is told in a line for each fault.</summary>
internal static class KeyFile
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What the file holds.</summary>
    /// <exception cref="CliException">There is none, or it breaks a rule.</exception>
    public static AccessFile Read(string path) => Explained(path, () => File.Exists(path) ? AccessFile.Read(path) : throw new CliException($"There is no file '{path}'."));

    /// <summary>Changes the file: read, changed and written whole, one command at a time.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isNew">Whether it is made where there is none.</param>
    /// <param name="change">What it is to hold.</param>
    /// <exception cref="CliException">There is none, it has the older form, or it breaks a rule, before or after.</exception>
    public static void Change(string path, bool isNew, Func<AccessFile, AccessFile> change) => Locked(path, () => Explained(path, () =>
    {
        bool isThere = File.Exists(path);
        if (!isThere && !isNew)
            throw new CliException($"There is no file '{path}'.");
        if (isThere && AccessFile.IsPlain(File.ReadAllBytes(path)))
            throw new CliException($"The file '{path}' holds keys as they are, one 'tenant key' a line; 'keys convert' makes it one of digests first.");
        change(isThere ? AccessFile.Read(path) : new AccessFile()).Write(path);
        return 0;
    }));

    /// <summary>Makes a file of the older form one of digests.</summary>
    /// <returns>Its keys; −1 = it was one already.</returns>
    /// <exception cref="CliException">There is none, or it breaks a rule.</exception>
    public static int Convert(string path) => Locked(path, () => Explained(path, () =>
    {
        AccessFile file = Read(path);
        if (!AccessFile.IsPlain(File.ReadAllBytes(path)))
            return -1;
        file.Write(path);
        return file.Keys.Count;
    }));

    private static T Explained<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (AccessFormatException exception)
        {
            throw new CliException($"The key file '{path}' is not as it must be.", exception) { Details = exception.Faults };
        }
    }

    // Two commands at once would each write what the other did not read. The file beside it stays: one that is removed could be locked twice.
    private static T Locked<T>(string path, Func<T> change)
    {
        using FileStream held = Hold(path + ".lock");
        return change();
    }

    private static FileStream Hold(string path)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.None });
            }
            catch (IOException exception) when (File.Exists(path))
            {
                if (Stopwatch.GetElapsedTime(start) > Patience)
                    throw new CliException($"Another command changes the file now: it holds '{path}'.", exception);
                Thread.Sleep(20);
            }
        }
    }
}
