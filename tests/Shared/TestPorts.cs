using System.Net;
using System.Net.Sockets;

namespace KvTiers.Tests.Shared;

/// <summary>Ports of loopback that stay the caller's between being found and being listened on, and while its server is away.</summary>
/// <remarks>
/// A port that the system gave out and that was given back is anyone's: it goes to the next who asks, and a client that connects to it while nobody
/// listens may be given it as its own. These lie below what any system gives out by itself, and a locked file keeps each from other test processes
/// until this one ends.
/// </remarks>
internal static class TestPorts
{
    private const int First = 20_000;
    private const int Count = 10_000;

    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "kvtiers-test-ports");
    private static readonly List<FileStream> Locks = [];

    // Where to look next: anywhere, so that processes seldom look at the same.
    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port that nobody listens on, and that this process was not given before.</summary>
    public static int Take()
    {
        lock (Locks)
        {
            Directory.CreateDirectory(Folder);
            for (int tries = 0; tries < Count; tries++)
            {
                int port = First + (_next++ % Count);
                if (TryLock(port) is not { } held)
                    continue;
                Locks.Add(held);
                if (IsFree(port))
                    return port;
            }
        }

        throw new InvalidOperationException($"None of the ports {First} to {First + Count - 1} is free.");
    }

    /// <summary>So many of them.</summary>
    public static int[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Take())];

    private static FileStream? TryLock(int port)
    {
        try
        {
            return new FileStream(Path.Combine(Folder, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Of a program that knows nothing of the files.
    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
