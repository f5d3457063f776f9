namespace KvTiers.Tests.Shared;

/// <summary>How long a test waits for what comes about by itself.</summary>
/// <remarks>It tells a hang from a slow machine, and says nothing of speed: beside eight busy neighbours it must not be reached.</remarks>
internal static class HangLimit
{
    /// <summary>The same for attributes, in milliseconds.</summary>
    public const int Milliseconds = 180_000;

    /// <summary>The limit.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromMilliseconds(Milliseconds);
}
