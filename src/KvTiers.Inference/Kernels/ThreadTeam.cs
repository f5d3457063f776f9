using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Threads that stay and share out one job at a time. The caller works too. Chunks are claimed one by one, so a thread that the
/// system holds up delays the job by one chunk at most. Who waits spins for a short while and then sleeps.
/// </summary>
/// <remarks>
/// <c>_state</c> is (generation &lt;&lt; 32) | chunks not yet claimed. A claim is a compare-and-swap on the whole of it, so a late thread
/// can never claim a chunk of a job that it has not seen; and a job's fields stay until every claimed chunk of it is done.
/// </remarks>
internal sealed class ThreadTeam : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 25_000;
    private readonly Thread[] _threads;
    private readonly Sleeper[] _sleepers;
    private readonly Sleeper _caller = new();
    private ITeamJob? _job;
    private int _chunkCount;
    private int _generation;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;
    private Padded _shared;

    /// <summary>Starts a team.</summary>
    /// <param name="threadCount">Threads, the caller of <see cref="Run"/> included: 1 to 64.</param>
    public ThreadTeam(int threadCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threadCount, 64);
        _threads = new Thread[threadCount - 1];
        _sleepers = new Sleeper[threadCount - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _sleepers[i] = new Sleeper();
            _threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"kvtiers-compute-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads in the team, the caller included.</summary>
    public int ThreadCount => _threads.Length + 1;

    /// <summary>Runs chunks 0 to <paramref name="chunkCount"/> − 1 and returns when all are done. One caller at a time; allocates nothing.</summary>
    /// <exception cref="Exception">What a chunk threw first; the other chunks have run.</exception>
    public void Run(ITeamJob job, int chunkCount)
    {
        if (chunkCount <= 1 || _threads.Length == 0)
        {
            for (int chunk = 0; chunk < chunkCount; chunk++)
                job.Run(chunk, 0);
            return;
        }

        _job = job;
        _chunkCount = chunkCount;
        Volatile.Write(ref _shared.Unfinished, chunkCount);
        Interlocked.Exchange(ref _shared.State, ((long)++_generation << 32) | (uint)chunkCount);
        int helpers = Math.Min(chunkCount - 1, _sleepers.Length);
        for (int i = 0; i < helpers; i++)
            _sleepers[i].Wake();

        while (TryClaim(out int chunk))
            Do(chunk, 0);
        AwaitUnfinished();
        _job = null;
        if (_failure is { } failure)
        {
            _failure = null;
            failure.Throw();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        foreach (Sleeper sleeper in _sleepers)
            sleeper.Wake();
        foreach (Thread thread in _threads)
            thread.Join();
    }

    private void Serve(int worker)
    {
        Sleeper self = _sleepers[worker - 1];
        long idleSince = 0;
        while (!_stopping)
        {
            if (TryClaim(out int chunk))
            {
                Do(chunk, worker);
                idleSince = 0;
                continue;
            }
            if (idleSince == 0)
                idleSince = Stopwatch.GetTimestamp();
            for (int i = 0; i < 16 && (int)Volatile.Read(ref _shared.State) == 0; i++)
                Thread.SpinWait(1);
            if ((int)Volatile.Read(ref _shared.State) == 0 && Stopwatch.GetTimestamp() - idleSince > SpinTicks)
            {
                self.Prepare();
                if ((int)Volatile.Read(ref _shared.State) == 0 && !_stopping)
                    self.Sleep();
                else
                    self.Cancel();
                idleSince = 0;
            }
        }
    }

    private bool TryClaim(out int chunk)
    {
        long state = Volatile.Read(ref _shared.State);
        while ((int)state != 0)
        {
            long seen = Interlocked.CompareExchange(ref _shared.State, state - 1, state);
            if (seen == state)
            {
                chunk = _chunkCount - (int)state;
                return true;
            }
            state = seen;
        }
        chunk = 0;
        return false;
    }

    private void Do(int chunk, int worker)
    {
        try
        {
            _job!.Run(chunk, worker);
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
        if (Interlocked.Decrement(ref _shared.Unfinished) == 0 && worker != 0)
            _caller.Wake();
    }

    private void AwaitUnfinished()
    {
        long since = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _shared.Unfinished) != 0)
        {
            for (int i = 0; i < 16 && Volatile.Read(ref _shared.Unfinished) != 0; i++)
                Thread.SpinWait(1);
            if (Stopwatch.GetTimestamp() - since <= SpinTicks)
                continue;
            _caller.Prepare();
            if (Volatile.Read(ref _shared.Unfinished) != 0)
                _caller.Sleep();
            else
                _caller.Cancel();
        }
    }

    /// <summary>What all threads write, on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Padded
    {
        [FieldOffset(128)]
        public long State;

        [FieldOffset(256)]
        public int Unfinished;
    }

    /// <summary>One thread that may sleep. Prepare, look once more for work, then Sleep or Cancel: a Wake in between is never lost.</summary>
    private sealed class Sleeper
    {
        private readonly SemaphoreSlim _bell = new(0);
        private int _asleep;

        public void Prepare() => Interlocked.Exchange(ref _asleep, 1);

        public void Sleep() => _bell.Wait();

        public void Cancel()
        {
            // A waker that was quicker has rung, or is about to: take the ring, or the next sleep would end at once.
            if (Interlocked.Exchange(ref _asleep, 0) == 0)
                _bell.Wait();
        }

        public void Wake()
        {
            if (Volatile.Read(ref _asleep) == 1 && Interlocked.Exchange(ref _asleep, 0) == 1)
                _bell.Release();
        }
    }
}
