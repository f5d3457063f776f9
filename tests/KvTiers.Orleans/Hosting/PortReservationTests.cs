using System.Net;
using System.Net.Sockets;
using KvTiers.Orleans.Hosting;

namespace KvTiers.Orleans.Tests.Hosting;

public sealed class PortReservationTests
{
    [Fact]
    public void APortThatAnotherHasIsPassedOverOrRefused()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using PortReservation next = PortReservation.From(port, IPAddress.Loopback);
        Assert.InRange(next.Port, port + 1, port + 999);
        Assert.Contains($"port {port}", Assert.Throws<IOException>(() => PortReservation.Of(port, IPAddress.Loopback)).Message, StringComparison.Ordinal);
    }

    /// <summary>Sockets that share their port as Orleans' do would all be let in: two silos that start at once must not pick one port.</summary>
    [Fact]
    public void OneThatIsPickedIsNobodyElsesAlsoBeforeItsListenerIsThere()
    {
        using PortReservation first = PortReservation.From(20_000, IPAddress.Loopback);
        using PortReservation second = PortReservation.From(first.Port, IPAddress.Loopback);
        Assert.NotEqual(first.Port, second.Port);

        using Socket listener = Listen(first.Port);
        using PortReservation third = PortReservation.From(first.Port, IPAddress.Loopback);
        Assert.NotEqual(first.Port, third.Port);
        Assert.NotEqual(second.Port, third.Port);
    }

    [Fact]
    public async Task WhoConnectsReachesTheListenerAndNotTheReservation()
    {
        using PortReservation reservation = PortReservation.From(20_000, IPAddress.Loopback);
        using Socket listener = Listen(reservation.Port);
        for (int i = 0; i < 20; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, reservation.Port);
            using Socket accepted = await listener.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(((IPEndPoint)client.Client.LocalEndPoint!).Port, ((IPEndPoint)accepted.RemoteEndPoint!).Port);
        }
    }

    [Fact]
    public async Task ANamedPortIsTakenAgainAtOnceWhenTheSiloBeforeHasEnded()
    {
        int port;
        using (PortReservation before = PortReservation.From(20_000, IPAddress.Loopback))
        {
            port = before.Port;
            using Socket listener = Listen(port);
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            using Socket accepted = await listener.AcceptAsync();
            accepted.Shutdown(SocketShutdown.Both); // the side that ends first keeps the connection fading out
        }

        using PortReservation again = PortReservation.Of(port, IPAddress.Loopback);
        using Socket next = Listen(port);
        Assert.Equal(port, again.Port);
    }

    // As Orleans listens.
    private static Socket Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        socket.Listen();
        return socket;
    }
}
