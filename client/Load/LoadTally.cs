using System.Collections.Concurrent;

namespace KvTiers.Cli.Load;

/// <summary>Everything that a run counts. Thread-safe.</summary>
internal sealed class LoadTally
{
    private readonly ConcurrentDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<LoadTurn> _turns = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private int _verified;
    private int _failedTurns;

    /// <summary>The turns that ended, in the order of their ends.</summary>
    public IReadOnlyCollection<LoadTurn> Turns => _turns;

    /// <summary>Failed calls by kind, those that were tried again with success too.</summary>
    public IReadOnlyDictionary<string, int> Faults => _faults;

    /// <summary>What must not be: a wrong answer, a lost turn, a turn that never succeeded. One line each.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>Answers compared with the cache off.</summary>
    public int Verified => Volatile.Read(ref _verified);

    /// <summary>Turns given up.</summary>
    public int FailedTurns => Volatile.Read(ref _failedTurns);

    public void Add(LoadTurn turn) => _turns.Enqueue(turn);

    public void AddFault(string kind) => _faults.AddOrUpdate(kind, 1, static (_, count) => count + 1);

    public void AddFailedTurn(string what)
    {
        Interlocked.Increment(ref _failedTurns);
        _wrong.Enqueue(what);
    }

    public void AddWrong(string what) => _wrong.Enqueue(what);

    public void AddVerified() => Interlocked.Increment(ref _verified);
}
