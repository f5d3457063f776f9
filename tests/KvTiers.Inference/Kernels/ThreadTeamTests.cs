using KvTiers.Inference.Kernels;

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

    private sealed class FailingJob : ITeamJob
    {
        public void Run(int chunk, int worker)
        {
            if (chunk == 13)
                throw new InvalidDataException("chunk 13");
        }
    }
}
