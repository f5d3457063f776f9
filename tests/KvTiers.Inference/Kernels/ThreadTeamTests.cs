using KvTiers.Inference.Kernels;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Kernels;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void EveryChunkOfEveryJobRunsOnce(int threads)
    {
        using ThreadTeam team = new(threads);
        CountJob job = new(50);
        for (int round = 1; round <= 3000; round++)
        {
            int chunks = round % 51;
            team.Run(job, chunks);
            Assert.Equal(chunks, job.Take());
        }
        Assert.True(job.GreatestWorker < threads);
    }

    [Fact]
    public void ATeamThatSleptWakes()
    {
        using ThreadTeam team = new(3);
        CountJob job = new(50);
        for (int round = 0; round < 20; round++)
        {
            team.Run(job, 40);
            Assert.Equal(40, job.Take());
            Thread.Sleep(2);
        }
    }

    [Fact]
    public void WhatAChunkThrowsReachesTheCallerAndTheTeamLivesOn()
    {
        using ThreadTeam team = new(2);

        InvalidDataException thrown = Assert.Throws<InvalidDataException>(() => team.Run(new FailingJob(), 20));

        Assert.Equal("chunk 13", thrown.Message);
        CountJob job = new(50);
        team.Run(job, 30);
        Assert.Equal(30, job.Take());
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(4, 0)]
    [InlineData(4, 3)]
    public void WhatAThreadHasLeftIsTakenOver(int threads, int held)
    {
        using ThreadTeam team = new(threads);
        for (int round = 0; round < 20; round++)
        {
            StuckJob job = new(40, held);
            team.Run(job, 40);
            Assert.True(job.OthersRan, "A chunk waited behind one that was held up.");
        }
    }

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 41)]
    [InlineData(3, 40)]
    [InlineData(8, 100)]
    public void FirstChunkIsWhereAThreadBegins(int threads, int chunks)
    {
        SlowClock clock = new();
        using ThreadTeam team = new(threads, clock.Read);
        int[] expected = [.. Enumerable.Range(0, threads).Select(worker => ThreadTeam.FirstChunk(worker, threads, chunks))];
        int[] firsts = [];
        for (int round = 0; round < 100 && !firsts.SequenceEqual(expected); round++)
        {
            // A thread that is awake may take over from another before it is given its own; one that rests after it held a job up takes none.
            clock.Advance(TimeSpan.FromSeconds(1));
            Thread.Sleep(5);
            FirstChunksJob job = new(threads);
            team.Run(job, chunks);
            firsts = job.Firsts;
        }

        Assert.Equal(expected, firsts);
    }

    [Fact]
    public void AThreadThatHeldAJobUpIsLeftOutForAWhileAndThenComesBack()
    {
        SlowClock clock = new();
        using ThreadTeam team = new(2, clock.Read);
        HeldJob held = new(clock);
        team.Run(held, 2);
        Assert.True(held.WasHeld, "The other thread took no chunk.");

        CountJob alone = new(50);
        for (int round = 0; round < 200; round++)
            team.Run(alone, 40);
        Assert.Equal(0, alone.GreatestWorker);

        clock.Advance(TimeSpan.FromSeconds(1));
        MeetingJob meeting = new();
        team.Run(meeting, 2);
        Assert.True(meeting.HaveMet, "The other thread did not come back.");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void ATeamHasOneToSixtyFourThreads(int threads) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(threads));

    private sealed class CountJob(int most) : ITeamJob
    {
        private readonly int[] _runs = new int[most];

        public int GreatestWorker { get; private set; }

        public void Run(int chunk, int worker)
        {
            Interlocked.Increment(ref _runs[chunk]);
            if (worker > GreatestWorker)
                GreatestWorker = worker;
        }

        /// <summary>How many chunks from 0 on ran exactly once, all others not at all; −1 when that is not so.</summary>
        public int Take()
        {
            int count = Array.IndexOf(_runs, 0);
            count = count < 0 ? _runs.Length : count;
            bool holds = _runs.AsSpan(0, count).IndexOfAnyExcept(1) < 0 && _runs.AsSpan(count).IndexOfAnyExcept(0) < 0;
            Array.Clear(_runs);
            return holds ? count : -1;
        }
    }

    /// <summary>A clock that stands still until it is advanced, and counts how often its first reader reads it.</summary>
    private sealed class SlowClock
    {
        private readonly int _caller = Environment.CurrentManagedThreadId;
        private long _now = 1;
        private long _reads;

        public long CallerReads => Interlocked.Read(ref _reads);

        public long Read()
        {
            if (Environment.CurrentManagedThreadId == _caller)
                Interlocked.Increment(ref _reads);
            return Interlocked.Read(ref _now);
        }

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, (long)(time.TotalSeconds * System.Diagnostics.Stopwatch.Frequency));
    }

    /// <summary>Two chunks on two threads; that of the team's own thread ends ten milliseconds after the caller began to wait for it.</summary>
    private sealed class HeldJob(SlowClock clock) : ITeamJob
    {
        private volatile bool _isHelperIn;
        private volatile bool _isCallerDone;

        public bool WasHeld { get; private set; }

        public void Run(int chunk, int worker)
        {
            if (worker == 0)
            {
                SpinWait.SpinUntil(() => _isHelperIn, HangLimit.Time);
                _isCallerDone = true;
                return;
            }
            _isHelperIn = true;
            SpinWait.SpinUntil(() => _isCallerDone, HangLimit.Time);
            long reads = clock.CallerReads;
            WasHeld = SpinWait.SpinUntil(() => clock.CallerReads > reads + 1, HangLimit.Time);
            clock.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Chunks of which the first that one thread claims ends when all others have run.</summary>
    private sealed class StuckJob(int chunks, int held) : ITeamJob
    {
        private int _done;
        private int _isStuck;

        public bool OthersRan { get; private set; } = true;

        public void Run(int chunk, int worker)
        {
            if (worker == held && Interlocked.Exchange(ref _isStuck, 1) == 0)
                OthersRan = SpinWait.SpinUntil(() => Volatile.Read(ref _done) == chunks - 1, HangLimit.Time);
            Interlocked.Increment(ref _done);
        }
    }

    /// <summary>Two chunks that wait for each other.</summary>
    private sealed class MeetingJob : ITeamJob
    {
        private int _in;

        public bool HaveMet { get; private set; }

        public void Run(int chunk, int worker)
        {
            Interlocked.Increment(ref _in);
            if (SpinWait.SpinUntil(() => Volatile.Read(ref _in) == 2, HangLimit.Time))
                HaveMet = true;
        }
    }

    // Nobody ends a first chunk before all have begun one.
    private sealed class FirstChunksJob(int threads) : ITeamJob
    {
        private readonly CountdownEvent _begun = new(threads);

        public int[] Firsts { get; } = [.. Enumerable.Repeat(-1, threads)];

        public void Run(int chunk, int worker)
        {
            if (Firsts[worker] >= 0)
                return;
            Firsts[worker] = chunk;
            _begun.Signal();
            Assert.True(_begun.Wait(HangLimit.Time), "A thread took no chunk.");
        }
    }

    private sealed class FailingJob : ITeamJob
    {
        public void Run(int chunk, int worker)
        {
            if (chunk == 13)
                throw new InvalidDataException("chunk 13");
        }
    }
}
