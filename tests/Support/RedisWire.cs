using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvTiers.Tests.Support;

/// <summary>One command to one server, with no client between: what a node of a cluster says of itself, not what leads to it.</summary>
public static class RedisWire
{
    /// <summary>The answer as text; of an array, its items as lines; of an error, its text after a minus sign.</summary>
    /// <exception cref="IOException">No answer within a second, or no connection.</exception>
    public static string Ask(int port, params string[] command)
    {
        try
        {
            using var client = new TcpClient { ReceiveTimeout = 1000 };
            client.Connect(IPAddress.Loopback, port);
            using NetworkStream stream = client.GetStream();
            stream.Write(Encoding.UTF8.GetBytes($"*{command.Length}\r\n" + string.Concat(command.Select(word => $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"))));
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return Read(reader);
        }
        catch (SocketException fault)
        {
            throw new IOException($"No server at port {port}: {fault.Message}", fault);
        }
    }

    private static string Read(StreamReader reader)
    {
        string line = reader.ReadLine() ?? throw new IOException("The server closed the connection.");
        switch (line[0])
        {
            case '-':
                return line;
            case '$':
                char[] text = new char[Math.Max(0, int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture))];
                reader.ReadBlock(text);
                if (line != "$-1")
                    reader.ReadLine();
                return new string(text);
            case '*':
                return string.Join('\n', Enumerable.Range(0, int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture)).Select(_ => Read(reader)).ToArray());
            default:
                return line[1..];
        }
    }
}
