using System.Runtime.InteropServices;

namespace KvTiers.Tiers.Disk;

/// <summary>What an operation on a file failed of, in words that name no path: they may be shown to whoever asks.</summary>
internal static class DiskFault
{
    private const int FileTooLarge = 27;

    /// <summary>True for what a device, a file system or its permissions are to blame for.</summary>
    public static bool Is(Exception fault) => fault is IOException or UnauthorizedAccessException;

    /// <summary>The cause, to follow "the disk: ".</summary>
    public static string CauseOf(Exception fault) => NumberOf(fault) switch
    {
        28 => "it is full",
        122 => "its quota is used up",
        30 => "it is read-only",
        5 => "it does not work (input/output error)",
        1 or 13 => "it may not be written",
        2 => "its folder is gone",
        FileTooLarge => "a file may not become so large",
        > 0 and < 200 and int number when !OperatingSystem.IsWindows() => Marshal.GetPInvokeErrorMessage(number),
        _ => $"it fails ({fault.GetType().Name})",
    };

    // On Unix the HResult is the error's number, but where .NET has a type of its own for it.
    private static int NumberOf(Exception fault) => fault switch
    {
        FileNotFoundException or DirectoryNotFoundException => 2,
        UnauthorizedAccessException => 13,
        _ => fault.HResult,
    };
}
