using KvTiers.Inference.Scheduling;
using KvTiers.Prefix;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>What a scheduler without an engine plans for sequences that go through the tiers' hands.</summary>
public sealed class SchedulerPromotionTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const int Block = 16;

    [Fact]
    public async Task WhatAWaitingSequenceFoundIsRoomForOneThatIsPromisedIt()
    {
        await using var host = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, blocks: 8);
        BlockHash root = host.Engine.RootFor([]);
        Sequence Of(long number, int[] prompt) =>
            new(new Generation(host.Engine, Requests.Of(prompt), root, number, prompt.Length + 40, seed: 1), tiny.Tokenizer);

        // Eight blocks, four of them hot and free to be evicted.
        using var cache = new KvCache(host.Cache.Shape, new KvCacheOptions { HotBlocks = 8, Prefault = false });
        int[] hot = Requests.Tokens(4 * Block, 1);
        using (BlockLease lease = cache.Acquire(root, hot))
        {
            Assert.True(cache.TryReserve(lease, hot.Length));
            cache.Append(lease, hot);
        }

        Sequence promised = Of(1, Requests.Tokens(6 * Block, 2));
        Sequence waiting = Of(2, [.. hot, .. Requests.Tokens(3 * Block, 3)]);
        var scheduler = new Scheduler(cache, new EngineOptions(), hasTiers: true);
        scheduler.Enqueue(promised);
        scheduler.Enqueue(waiting);
        scheduler.Plan();
        Assert.Equal([promised], scheduler.Loading);
        Assert.Equal([waiting], scheduler.Waiting);
        Assert.True(cache.TryReserve(promised.Lease!, promised.TokenCount));
        promised.Lease!.Dispose();
    }
}
