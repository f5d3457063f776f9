using System.Net;
using System.Net.Sockets;

namespace KvTiers.Orleans.Hosting;

/// <summary>A port that is this silo's from before its listener is there until the silo has stopped.</summary>
/// <remarks>
/// Orleans' listeners share their port with whoever does the same (SO_REUSEPORT), and the kernel then gives each a part of the connections: two silos that
/// took one port would get each other's messages. So the port is bound here first by a socket that shares with nobody, never listens, and only then lets
/// the silo's own in.
/// </remarks>
internal sealed class PortReservation : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private const int Tries = 1000;

    private readonly Socket _socket;

    private PortReservation(Socket socket) => _socket = socket;

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>The first port from <paramref name="first"/> up that nothing has.</summary>
    /// <exception cref="IOException">None of a thousand is free.</exception>
    public static PortReservation From(int first, IPAddress address)
    {
        for (int port = first; port < first + Tries; port++)
        {
            if (TryTake(port, address, isNamed: false) is { } reservation)
                return reservation;
        }

        throw new IOException($"No port from {first} to {first + Tries - 1} is free at {address}.");
    }

    /// <summary>The port that the operator named.</summary>
    /// <exception cref="IOException">Something listens there.</exception>
    public static PortReservation Of(int port, IPAddress address) =>
        TryTake(port, address, isNamed: true) ?? throw new IOException($"Another process has port {port} at {address}.");

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(PortReservation), ServiceLifecycleStage.First, static _ => Task.CompletedTask, _ =>
        {
            Dispose();
            return Task.CompletedTask;
        });

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static PortReservation? TryTake(int port, IPAddress address, bool isNamed)
    {
        // On Unix the runtime sets SO_REUSEADDR, and that alone, when a socket that was made as TCP is bound. A named port wants it, to be taken again while
        // connections of a silo that ended still fade out there; but it would let in another reservation, which does not listen, too.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, isNamed ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            return new(socket);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
