using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Threads that stay and share out one job at a time. The caller works too. Each thread has a run of neighbouring chunks and claims them one by one;
/// one that has no more takes over the later half of what another has left. So each reads memory in one stream, and one that the system holds up delays
/// the job by one chunk at most. Who waits brings near what it will read next, spins for a short while and then sleeps. A thread that held a job up,
/// because another process has its processor, is left out for a while, longer each time: beside a busy neighbour the others alone are faster.
/// </summary>
/// <remarks>
/// A run is (first &lt;&lt; 32) | end. A claim is a compare-and-swap on the whole of it, and only then are the job's fields read, which stay until every
/// claimed chunk is done: a late thread that meets the run of a later job claims of that one.
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
    private readonly Padded[] _runs;
    private ITeamJob? _job;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;
    private volatile PackedMatrix? _next;
    private WeightsAhead _callerAhead;
    private Padded _unfinished;

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
        _runs = new Padded[threadCount];
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

    /// <summary>The matrix that waiting threads may bring near, because a job to come multiplies a panel of it in each chunk. Null for none.</summary>
    public PackedMatrix? Next
    {
        get => _next;
        set => _next = value;
    }

    /// <summary>The chunk with which a thread begins a job of which every thread takes some.</summary>
    public static int FirstChunk(int worker, int threads, int chunkCount)
    {
        int first = worker == 0 ? 0 : chunkCount;
        for (int i = 0; i < worker; i++)
            first = FirstOfLast(first, threads - i);
        return first;
    }

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
        Volatile.Write(ref _unfinished.Value, chunkCount);
        long begun = _clock();
        Share(chunkCount, begun);
        int own = Work(0);
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
        WeightsAhead ahead = default;
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
            if (Work(worker) > 0)
            {
                idleSince = 0;
                continue;
            }
            if (idleSince == 0)
                idleSince = _clock();
            for (int i = 0; i < 16 && !HasChunks(worker); i++)
                PassTime(ref ahead, worker);
            if (!HasChunks(worker) && _clock() - idleSince > SpinTicks)
            {
                self.Prepare();
                if (!HasChunks(worker) && !_stopping)
                    self.Sleep();
                else
                    self.Cancel();
                idleSince = 0;
            }
        }
    }

    // A moment of waiting.
    private void PassTime(ref WeightsAhead ahead, int worker)
    {
        if (!ahead.TryBring(_next, worker, ThreadCount))
            Thread.SpinWait(1);
    }

    // Runs of nearly the same length for the threads that do not rest and for the caller, whose run is the first one and is given last.
    private void Share(int chunkCount, long begun)
    {
        int takers = 1;
        foreach (Sleeper sleeper in _sleepers)
        {
            if (takers < chunkCount && sleeper.IsBack(begun))
                takers++;
        }

        int left = chunkCount;
        for (int worker = 1; takers > 1; worker++)
        {
            Sleeper sleeper = _sleepers[worker - 1];
            if (sleeper.IsResting)
                continue;

            // A thread that has taken chunks over from another's run already keeps those.
            ref long run = ref _runs[worker].Value;
            int first = FirstOfLast(left, takers--);
            long seen = Volatile.Read(ref run);
            if (!HasChunks(seen) && Interlocked.CompareExchange(ref run, RunOf(first, left), seen) == seen)
                left = first;
            sleeper.Wake();
        }
        Interlocked.Exchange(ref _runs[0].Value, RunOf(0, left));
    }

    // Where the last of so many takers' shares begins.
    private static int FirstOfLast(int chunkCount, int takers) => chunkCount - chunkCount / takers;

    // Chunks of its own run, then of others', until there are none.
    private int Work(int worker)
    {
        int done = 0;
        while (true)
        {
            if (TryClaim(worker, out int chunk))
            {
                Do(chunk, worker);
                done++;
                continue;
            }

            long own = Volatile.Read(ref _runs[worker].Value);
            if (HasChunks(own))
                continue;
            if (!TryTakeOver(worker, out int first, out int end))
                break;

            // The others can have of it what comes after the first chunk; unless a job that began meanwhile has given this thread a run.
            int last = Interlocked.CompareExchange(ref _runs[worker].Value, RunOf(first + 1, end), own) == own ? first : end - 1;
            for (chunk = first; chunk <= last; chunk++, done++)
                Do(chunk, worker);
        }

        if (done == 0)
            return 0;
        if (worker != 0)
            _sleepers[worker - 1].DoneAt = _clock();
        if (Interlocked.Add(ref _unfinished.Value, -done) == 0 && worker != 0)
            _caller.Wake();
        return done;
    }

    private bool TryClaim(int worker, out int chunk)
    {
        ref long run = ref _runs[worker].Value;
        for (long seen = Volatile.Read(ref run); HasChunks(seen);)
        {
            chunk = FirstOf(seen);
            long found = Interlocked.CompareExchange(ref run, RunOf(chunk + 1, EndOf(seen)), seen);
            if (found == seen)
                return true;
            seen = found;
        }
        chunk = 0;
        return false;
    }

    private bool TryTakeOver(int worker, out int first, out int end)
    {
        for (int i = 1; i < _runs.Length; i++)
        {
            ref long run = ref _runs[(worker + i) % _runs.Length].Value;
            for (long seen = Volatile.Read(ref run); HasChunks(seen);)
            {
                end = EndOf(seen);
                first = FirstOf(seen) + (end - FirstOf(seen)) / 2;
                long found = Interlocked.CompareExchange(ref run, RunOf(FirstOf(seen), first), seen);
                if (found == seen)
                    return true;
                seen = found;
            }
        }
        (first, end) = (0, 0);
        return false;
    }

    private bool HasChunks(int worker) => HasChunks(Volatile.Read(ref _runs[worker].Value));

    private static bool HasChunks(long run) => FirstOf(run) < EndOf(run);

    private static int FirstOf(long run) => (int)(run >> 32);

    private static int EndOf(long run) => (int)run;

    private static long RunOf(int first, int end) => ((long)first << 32) | (uint)end;

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
    }

    private void AwaitUnfinished(long begun, int own)
    {
        if (Volatile.Read(ref _unfinished.Value) == 0)
            return;
        long since = _clock();
        while (Volatile.Read(ref _unfinished.Value) != 0)
        {
            for (int i = 0; i < 16 && Volatile.Read(ref _unfinished.Value) != 0; i++)
                PassTime(ref _callerAhead, 0);
            if (_clock() - since <= SpinTicks)
                continue;
            _caller.Prepare();
            if (Volatile.Read(ref _unfinished.Value) != 0)
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

    /// <summary>A number on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Padded
    {
        [FieldOffset(128)]
        public long Value;
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
