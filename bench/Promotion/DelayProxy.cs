using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace KvTiers.Bench.Promotion;

/// <summary>A TCP proxy that holds every answer back for a while, as a long way does: later bytes do not wait longer for it.</summary>
internal sealed class DelayProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly int _target;
    private readonly TimeSpan _delay;

    public DelayProxy(int target, TimeSpan delay)
    {
        _target = target;
        _delay = delay;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _closing.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_closing.Token));
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _closing.Token);
                await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream(), 1 << 18, _closing.Token), ReturnAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException)
            {
                // Either side hung up.
            }
        }
    }

    private async Task ReturnAsync(NetworkStream from, NetworkStream to)
    {
        var held = Channel.CreateUnbounded<(long Due, byte[] Bytes, int Count)>();
        Task writing = WriteAsync(held.Reader, to);
        while (true)
        {
            byte[] bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(1 << 18);
            int count = await from.ReadAsync(bytes, _closing.Token);
            if (count == 0)
                break;

            held.Writer.TryWrite((Stopwatch.GetTimestamp() + (long)(_delay.TotalSeconds * Stopwatch.Frequency), bytes, count));
        }

        held.Writer.Complete();
        await writing;
    }

    private async Task WriteAsync(ChannelReader<(long Due, byte[] Bytes, int Count)> held, NetworkStream to)
    {
        await foreach ((long due, byte[] bytes, int count) in held.ReadAllAsync(_closing.Token))
        {
            TimeSpan left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (left > TimeSpan.Zero)
                await Task.Delay(left, _closing.Token);

            await to.WriteAsync(bytes.AsMemory(0, count), _closing.Token);
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
