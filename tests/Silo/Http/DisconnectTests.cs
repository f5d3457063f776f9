using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KvTiers.Silo.Tests.Http;

/// <summary>Clients leave at any moment: that is nobody's fault, and nothing to log.</summary>
[Collection(AloneCollection.Name)]
public sealed class DisconnectTests(ITestOutputHelper output)
{
    private const int Each = 120;

    private static readonly (string Path, string Body)[] Calls =
    [
        ("/v1/chat/completions", """{"messages":[{"role":"user","content":"NUMBER tell me a tale"}],"max_tokens":60,"stream":true}"""),
        ("/v1/chat/completions", """{"messages":[{"role":"user","content":"NUMBER tell me a tale"}],"max_tokens":60}"""),
        ("/v1/completions", """{"prompt":"NUMBER tell me a tale","max_tokens":60,"stream":true}"""),
        ("/v1/messages", """{"messages":[{"role":"user","content":"NUMBER tell me a tale"}],"max_tokens":60,"stream":true}"""),
        ("/v1/responses", """{"input":"NUMBER tell me a tale","max_output_tokens":60,"stream":true}"""),
        ("/v1/conversations/left-NUMBER/turns", """{"messages":[{"role":"user","content":"tell me a tale"}],"options":{"max_tokens":60},"stream":true}"""),
        ("/v1/embeddings", """{"input":"NUMBER tell me a tale"}"""),
    ];

    [Fact]
    public async Task NobodyHearsOfThoseWhoLeave()
    {
        var logs = new LogList();
        await using SiloServer silo = await SiloServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(logs), "--Logging:LogLevel:Default=Information");
        int before = logs.At(LogLevel.Information).Count;
        var random = new Random(11);
        foreach ((string path, string body) in Calls)
        {
            for (int i = 0; i < Each; i++)
                await LeaveAsync(silo.Url, path.Replace("NUMBER", $"{i}", StringComparison.Ordinal), body.Replace("NUMBER", $"{i}", StringComparison.Ordinal), random);
        }

        // What is still running ends, and the server works.
        await Eventually.TrueAsync(() => Task.FromResult(silo.Model.Engine.Snapshot() is { Running: 0, Waiting: 0 }));
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"max_tokens":2}""");
        // A machine that is busy makes Orleans complain of its own slow tasks.
        IReadOnlyList<string> said = [.. logs.At(LogLevel.Information).Skip(before).Where(line => !line.Contains("took elapsed time", StringComparison.Ordinal))];
        output.WriteLine($"{Calls.Length * Each} left; {said.Count} lines were logged");
        Assert.True(said.Count == 0, $"{said.Count} lines, such as:\n{string.Join('\n', said.Take(3))}");
    }

    // Before its headers are whole, before or inside its body, at once after it, or when so much of the answer has come; with a reset or without.
    private static async Task LeaveAsync(Uri url, string path, string body, Random random)
    {
        byte[] content = Encoding.UTF8.GetBytes(body);
        byte[] head = Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {content.Length}\r\n\r\n");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(url.Host, url.Port);
        switch (random.Next(6))
        {
            case 0:
                await socket.SendAsync(head.AsMemory(0, random.Next(head.Length)));
                break;
            case 1:
                await socket.SendAsync(head);
                break;
            case 2:
                await socket.SendAsync(head);
                await socket.SendAsync(content.AsMemory(0, random.Next(content.Length)));
                break;
            case 3:
                await socket.SendAsync((byte[])[.. head, .. content]);
                break;
            default:
                await socket.SendAsync((byte[])[.. head, .. content]);
                byte[] answer = new byte[random.Next(1, 3000)];
                for (int read = 0, wanted = answer.Length; read < wanted;)
                {
                    int count = await socket.ReceiveAsync(answer.AsMemory(read));
                    if (count == 0) break;
                    read += count;
                    if (random.Next(4) == 0) break;
                }

                break;
        }

        if (random.Next(4) == 0) await Task.Delay(random.Next(8));
        if (random.Next(2) == 0) socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }
}
