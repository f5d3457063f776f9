using KvTiers.Tests.Shared;

namespace KvTiers.Tests.Support;

/// <summary>A Redis of one's own, on a private loopback port: a process or a container (<see cref="RedisChoice"/>), and a test cannot tell which.</summary>
public sealed class RedisServer : IDisposable
{
    // The one that docker-compose.yml names.
    private const string Image = "redis:7.4";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo? _folder;
    private readonly IRedisHost? _host;

    /// <summary>One that keeps nothing when it ends. Where there is none to be had it is nothing, and nothing happens to it.</summary>
    public RedisServer()
        : this(RedisChoice.Here, keeps: false)
    {
    }

    internal RedisServer(RedisChoice choice, bool keeps)
    {
        Port = TestPorts.Take();
        string[] files = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
        if (choice.Kind == RedisKind.Local)
        {
            _folder = keeps ? Directory.CreateTempSubdirectory("kvtiers-redis-") : null;
            string folder = _folder?.FullName ?? Path.GetTempPath();
            _host = new LocalRedis($"--port {Port} --bind 127.0.0.1 --save \"\" --dir {folder} {string.Join(' ', files)}");
        }
        else if (choice.Kind == RedisKind.Container)
        {
            _host = new ContainerRedis(Image, Port, ["--save", "", .. files]);
        }

        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a server can be had here; tests skip otherwise, and say <see cref="Reason"/>.</summary>
    /// <exception cref="InvalidOperationException">One was asked for that cannot be had: such tests fail.</exception>
    public static bool IsAvailable => RedisChoice.Here.Kind != RedisKind.None;

    /// <summary>Whether it is <c>redis-server</c> from the path: what starts servers of its own takes that.</summary>
    public static bool IsLocal => RedisChoice.Here.Kind == RedisKind.Local;

    /// <summary>Why tests use the one they use, or none.</summary>
    public static string Reason => RedisChoice.Here.Reason;

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>Its address, with the right to clear it.</summary>
    public string Configuration => $"127.0.0.1:{Port},allowAdmin=true";

    /// <summary>One that has what it acknowledged again after <see cref="Kill"/> and <see cref="Start"/>.</summary>
    public static RedisServer StartKeeping() => new(RedisChoice.Here, keeps: true);

    /// <summary>Starts it, and waits until it answers.</summary>
    public void Start()
    {
        if (_host is null)
            return;
        _host.Start();
        for (DateTime until = DateTime.UtcNow + Patience; !Answers(Port);)
        {
            if (DateTime.UtcNow > until)
                throw new InvalidOperationException($"The Redis on port {Port} does not answer. It said: {_host.Said()}");
            Thread.Sleep(25);
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Kill() => _host?.Kill();

    /// <summary>Hangs the server: it keeps its connections and answers nothing.</summary>
    public void Hang() => _host?.Hang();

    /// <summary>Lets it go on.</summary>
    public void Resume() => _host?.Resume();

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        _folder?.Delete(recursive: true);
    }

    // Not by its port: what forwards to a container listens before the server does.
    internal static bool Answers(int port)
    {
        try
        {
            return RedisWire.Ask(port, "PING") == "PONG";
        }
        catch (IOException)
        {
            return false;
        }
    }
}
