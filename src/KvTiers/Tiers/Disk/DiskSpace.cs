namespace KvTiers.Tiers.Disk;

/// <summary>The room of a file system.</summary>
/// <param name="FreeBytes">What whoever asks may still take.</param>
/// <param name="TotalBytes">All of it.</param>
internal readonly record struct DiskSpace(long FreeBytes, long TotalBytes)
{
    /// <summary>The file system that a folder is on; null when it does not say.</summary>
    public static DiskSpace? Of(string folder)
    {
        try
        {
            var drive = new DriveInfo(folder);
            return new DiskSpace(drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
