using System.Globalization;
using KvTiers.Tests.Shared;

namespace KvTiers.Tests.Support;

/// <summary>A Redis Cluster of one's own: three <c>redis-server</c> processes with a third of the slots each and no replicas, on private loopback ports.</summary>
/// <remarks>Its slots are served also while those of another node are not. Where there is no <c>redis-server</c> on the path it is nothing, and tests skip.</remarks>
public sealed class RedisCluster : IDisposable
{
    private const int Nodes = 3;
    private const int Slots = 16384;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo? _folder;
    private readonly LocalRedis[] _hosts = [];

    /// <summary>Starts it, and returns when every node knows of the others and serves. It keeps what it acknowledged when a node is killed and started again.</summary>
    public RedisCluster()
    {
        if (!IsAvailable)
            return;
        _folder = Directory.CreateTempSubdirectory("kvtiers-redis-cluster-");
        int[] ports = TestPorts.Take(2 * Nodes);
        Ports = ports[..Nodes];
        _hosts = [.. Ports.Select((port, node) => new LocalRedis(
            $"--port {port} --cluster-port {ports[Nodes + node]} --bind 127.0.0.1 --dir {_folder.CreateSubdirectory($"{node}").FullName} --save \"\" --appendonly yes "
            + "--appendfsync always --cluster-enabled yes --cluster-node-timeout 3000 --cluster-require-full-coverage no"))];
        try
        {
            foreach (LocalRedis host in _hosts)
                host.Start();
            Form(ports);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether one can be had here. It takes <c>redis-server</c> from the path: containers would tell their clients addresses of their own network.</summary>
    public static bool IsAvailable => RedisServer.IsLocal;

    /// <summary>Why there is none.</summary>
    public static string Reason => "A Redis Cluster takes redis-server from the path, and here: " + RedisServer.Reason;

    /// <summary>Where the nodes listen.</summary>
    public IReadOnlyList<int> Ports { get; } = [];

    /// <summary>The addresses of all nodes.</summary>
    public string Configuration => string.Join(',', Ports.Select(port => $"127.0.0.1:{port}"));

    /// <summary>Asks a node, and it alone.</summary>
    public string Ask(int node, params string[] command) => RedisWire.Ask(Ports[node], command);

    /// <summary>A key's slot.</summary>
    public int SlotOf(string key)
    {
        for (int node = 0; ; node++)
        {
            try
            {
                return int.Parse(Ask(node, "CLUSTER", "KEYSLOT", key), CultureInfo.InvariantCulture);
            }
            catch (IOException) when (node < Nodes - 1)
            {
                // Any of them knows.
            }
        }
    }

    /// <summary>The node that had a key's slot in the beginning.</summary>
    public int NodeOf(string key) => (int)((long)SlotOf(key) * Nodes / Slots);

    /// <summary>Ends a node at once.</summary>
    public void Kill(int node) => _hosts[node].Kill();

    /// <summary>Hangs a node: it keeps its connections and answers nothing.</summary>
    public void Hang(int node) => _hosts[node].Hang();

    /// <summary>Lets it go on.</summary>
    public void Resume(int node) => _hosts[node].Resume();

    /// <summary>Starts a node again, and waits until it serves.</summary>
    public void Start(int node)
    {
        _hosts[node].Start();
        Until(() => Ask(node, "CLUSTER", "INFO").Contains("cluster_state:ok", StringComparison.Ordinal));
    }

    /// <summary>A slot begins to move: what the one node lacks of it, clients are told to ask of the other.</summary>
    public void BeginMove(int slot, int from, int to)
    {
        Say(to, "CLUSTER", "SETSLOT", $"{slot}", "IMPORTING", IdOf(from));
        Say(from, "CLUSTER", "SETSLOT", $"{slot}", "MIGRATING", IdOf(to));
    }

    /// <summary>Moves keys of a slot that is moving.</summary>
    public void MoveKeys(int from, int to, params string[] keys) => Say(from, ["MIGRATE", "127.0.0.1", $"{Ports[to]}", "", "0", "5000", "KEYS", .. keys]);

    /// <summary>The keys of a slot that a node has.</summary>
    public string[] KeysOf(int slot, int node) =>
        Ask(node, "CLUSTER", "GETKEYSINSLOT", $"{slot}", "10000").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The slot has moved; clients that come to the node that had it are sent to the one that has it.</summary>
    public void EndMove(int slot, int to)
    {
        for (int node = 0; node < Nodes; node++)
            Say((to + node) % Nodes, "CLUSTER", "SETSLOT", $"{slot}", "NODE", IdOf(to));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LocalRedis host in _hosts)
            host.Dispose();
        _folder?.Delete(recursive: true);
    }

    private void Form(int[] ports)
    {
        for (int node = 0; node < Nodes; node++)
        {
            int one = node;
            Until(() => Ask(one, "PING") == "PONG");
            Say(node, "CLUSTER", "SET-CONFIG-EPOCH", $"{node + 1}");
            Say(node, "CLUSTER", "ADDSLOTSRANGE", $"{First(node)}", $"{First(node + 1) - 1}");
        }

        for (int node = 1; node < Nodes; node++)
            Say(0, "CLUSTER", "MEET", "127.0.0.1", $"{ports[node]}", $"{ports[Nodes + node]}");
        Until(() => Enumerable.Range(0, Nodes).All(node =>
        {
            string info = Ask(node, "CLUSTER", "INFO");
            return info.Contains("cluster_state:ok", StringComparison.Ordinal)
                && info.Contains($"cluster_slots_ok:{Slots}", StringComparison.Ordinal)
                && info.Contains($"cluster_known_nodes:{Nodes}", StringComparison.Ordinal);
        }));

        // The first slot of which SlotOf(key) × nodes / slots is the node.
        static int First(int node) => ((node * Slots) + Nodes - 1) / Nodes;
    }

    private string IdOf(int node) => Ask(node, "CLUSTER", "MYID");

    private void Say(int node, params string[] command)
    {
        string answer = Ask(node, command);
        if (answer.StartsWith('-'))
            throw new InvalidOperationException($"{string.Join(' ', command)}: {answer[1..]}");
    }

    private void Until(Func<bool> condition)
    {
        for (DateTime until = DateTime.UtcNow + Patience; ; Thread.Sleep(25))
        {
            try
            {
                if (condition())
                    return;
            }
            catch (IOException) when (DateTime.UtcNow < until)
            {
                continue;
            }

            if (DateTime.UtcNow > until)
                throw new InvalidOperationException($"The Redis Cluster did not come up. It said: {string.Concat(_hosts.Select(host => host.Said()))}");
        }
    }
}
