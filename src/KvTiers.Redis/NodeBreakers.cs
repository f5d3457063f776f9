using System.Collections.Concurrent;
using System.Net;

namespace KvTiers.Redis;

/// <summary>A breaker for each node, so that one that is away costs none of what the others hold.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class NodeBreakers(int faultsToOpen, TimeSpan retryAfter, TimeProvider time)
{
    private readonly ConcurrentDictionary<EndPoint, CircuitBreaker> _nodes = new();
    private readonly CircuitBreaker _any = Create(faultsToOpen, retryAfter, time);

    /// <summary>Whether calls to any node are refused.</summary>
    public bool IsAnyOpen => _any.IsOpen || _nodes.Values.Any(breaker => breaker.IsOpen);

    /// <summary>Nodes of which calls are refused.</summary>
    public IReadOnlyList<EndPoint?> Open =>
        [.. _nodes.Where(node => node.Value.IsOpen).Select(node => node.Key), .. _any.IsOpen ? (EndPoint?[])[null] : []];

    /// <summary>A node's breaker; of null, that of calls that go to no node in particular.</summary>
    public CircuitBreaker Of(EndPoint? node) =>
        node is null ? _any : _nodes.GetOrAdd(node, static (_, all) => Create(all.faultsToOpen, all.retryAfter, all.time), (faultsToOpen, retryAfter, time));

    /// <summary>Forgets all nodes but these: one that has left will not answer again.</summary>
    public void KeepOnly(IReadOnlyCollection<EndPoint> nodes)
    {
        foreach (EndPoint node in _nodes.Keys.Except(nodes))
            _nodes.TryRemove(node, out _);
    }

    private static CircuitBreaker Create(int faultsToOpen, TimeSpan retryAfter, TimeProvider time) => new(faultsToOpen, retryAfter, time);
}
