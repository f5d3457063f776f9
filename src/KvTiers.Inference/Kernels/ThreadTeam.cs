using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Threads that stay and share out one job at a time. The caller works too. Chunks are claimed one by one, so a thread that the
/// system holds up delays the job by one chunk at most. Who waits spins for a short while and then sleeps. A thread that held a job up,
/// because another process has its processor, is left out for a while, longer each time: beside a busy neighbour the others alone are faster.
/// </summary>
/// <remarks>
/// <c>_state</c> is (generation &lt;&lt; 32) | chunks not yet claimed. A claim is a compare-and-swap on the whole of it, so a late thread
/// can never claim a chunk of a job that it has not seen; and a job's fields stay until every claimed chunk of it is done.
/// </remarks>
internal sealed class ThreadTeam : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 25_000;
    private static readonly long LateTicks = Stopwatch.Frequency / 5_000;
    private static readonly long ShortestRestTicks = Stopwatch.Frequency / 200;
    private static readonly long LongestRestTicks = Stopwatch.Frequency / 6;
    private readonly Func<long> _clock;
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
    /// <param name="clock">Timestamps in units of <see cref="Stopwatch.Frequency"/>; the stopwatch's by default.</param>
    public ThreadTeam(int threadCount, Func<long>? clock = null)
    {
        _clock = clock ?? Stopwatch.GetTimestamp;
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
        long begun = _clock();
        int helpers = chunkCount - 1;
        for (int i = 0; i < _sleepers.Length && helpers > 0; i++)
        {
            if (!_sleepers[i].IsBack(begun))
                continue;
            helpers--;
            _sleepers[i].Wake();
        }

        int own = 0;
        for (; TryClaim(out int chunk); own++)
            Do(chunk, 0);
        AwaitUnfinished(begun, own);
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
            if (self.IsResting)
            {
                self.Prepare();
                if (self.IsResting && !_stopping)
                    self.Sleep();
                else
                    self.Cancel();
                continue;
            }
            if (TryClaim(out int chunk))
            {
                Do(chunk, worker);
                idleSince = 0;
                continue;
            }
            if (idleSince == 0)
                idleSince = _clock();
            for (int i = 0; i < 16 && (int)Volatile.Read(ref _shared.State) == 0; i++)
                Thread.SpinWait(1);
            if ((int)Volatile.Read(ref _shared.State) == 0 && _clock() - idleSince > SpinTicks)
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
        if (worker != 0)
            _sleepers[worker - 1].DoneAt = _clock();
        if (Interlocked.Decrement(ref _shared.Unfinished) == 0 && worker != 0)
            _caller.Wake();
    }

    private void AwaitUnfinished(long begun, int own)
    {
        if (Volatile.Read(ref _shared.Unfinished) == 0)
            return;
        long since = _clock();
        while (Volatile.Read(ref _shared.Unfinished) != 0)
        {
            for (int i = 0; i < 16 && Volatile.Read(ref _shared.Unfinished) != 0; i++)
                Thread.SpinWait(1);
            if (_clock() - since <= SpinTicks)
                continue;
            _caller.Prepare();
            if (Volatile.Read(ref _shared.Unfinished) != 0)
                _caller.Sleep();
            else
                _caller.Cancel();
        }

        // A chunk of a thread that computes takes no longer than twice one of the caller's.
        long patience = LateTicks + 2 * (since - begun) / Math.Max(own, 1);
        foreach (Sleeper sleeper in _sleepers)
        {
            if (sleeper.DoneAt - since > patience)
                sleeper.Rest(sleeper.DoneAt);
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
        private long _restTicks = ShortestRestTicks;
        private long _restsUntil;
        private volatile bool _isResting;

        /// <summary>When the thread ended its last chunk. Seen by the caller once it has seen the chunk counted.</summary>
        public long DoneAt { get; set; }

        /// <summary>The thread takes no work.</summary>
        public bool IsResting => _isResting;

        /// <summary>Leaves the thread out for a while: for twice as long as before if it was back for a short time only. For the caller.</summary>
        public void Rest(long now)
        {
            bool isSoon = now - _restsUntil < 4 * _restTicks;
            _restTicks = isSoon ? Math.Min(2 * _restTicks, LongestRestTicks) : ShortestRestTicks;
            _restsUntil = now + _restTicks;
            _isResting = true;
        }

        /// <summary>True when the thread may work; ends its rest when that is over. For the caller.</summary>
        public bool IsBack(long now)
        {
            if (_isResting && now >= _restsUntil)
                _isResting = false;
            return !_isResting;
        }

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
