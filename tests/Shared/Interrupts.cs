using System.Globalization;
using System.Runtime.InteropServices;

namespace KvTiers.Tests.Shared;

/// <summary>Lets processes that are started from here be interrupted.</summary>
internal static partial class Interrupts
{
    private const int InterruptSignal = 2;

    /// <summary>
    /// A shell without job control starts what it puts into the background with Ctrl-C ignored, and a process hands that on to those it starts. Where that
    /// is so, Ctrl-C is put back to what it does at a terminal. Call it before a process is started that a test interrupts.
    /// </summary>
    public static void Allow()
    {
        if (OperatingSystem.IsLinux() && IsIgnored())
            Signal(InterruptSignal, 0);
    }

    // In the mask of ignored signals the first bit is signal 1.
    private static bool IsIgnored()
    {
        const string Name = "SigIgn:";
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Name, StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(Name.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (InterruptSignal - 1) & 1) == 1;
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
