using System.Globalization;
using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

public sealed class KvCacheSoakTests(ITestOutputHelper output)
{
    private const int Threads = 4;
    private const int TurnsPerThread = 4_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ThreadsThatShareOneCacheNeverSeeWrongBytes(bool hasRecipient)
    {
        string? text = Environment.GetEnvironmentVariable("KVTIERS_TEST_SEED");
        int seed = text is null ? 7 : int.Parse(text, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed} (KVTIERS_TEST_SEED overrides it)");
        using KvCache cache = FakeSequence.CreateCache(160, recipient: hasRecipient ? new YieldingRecipient() : null);
        Task[] threads = [.. Enumerable.Range(0, Threads).Select(i => Task.Run(() => Work(cache, new Random(seed * Threads + i))))];
        while (!Task.WhenAll(threads).IsCompleted)
        {
            CacheIntegrity.Check(cache);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        await Task.WhenAll(threads);
        CacheIntegrity.Check(cache);
        CacheSnapshot snapshot = cache.Snapshot();
        output.WriteLine($"{snapshot}");
        Assert.Equal(0, snapshot.Totals.RecipientFaults);
        Assert.Equal(0, snapshot.Leases);
        Assert.Equal(0, snapshot.HeldBlocks + snapshot.PrivateBlocks);
        Assert.True(snapshot.Totals.HitTokens > 10_000 && snapshot.Totals.CopiedBlocks > 1_000 && snapshot.Totals.EvictedBlocks > 1_000);
    }

    private static void Work(KvCache cache, Random random)
    {
        for (int turn = 0; turn < TurnsPerThread; turn++)
        {
            int[] tokens = Conversation(random);
            BlockLease lease = cache.Acquire(FakeSequence.Root, tokens);
            while (lease.TokenCount < tokens.Length)
            {
                cache.Rematch(lease, tokens);
                int count = Math.Min(tokens.Length - lease.TokenCount, random.Next(1, 8));
                if (count == 0) break;
                if (!cache.TryReserve(lease, count)) break;
                FakeSequence.Write(cache, lease, tokens.AsSpan(lease.TokenCount, count));
                cache.Append(lease, tokens.AsSpan(lease.TokenCount, count));
            }

            Assert.True(FakeSequence.HasRightBytes(cache, lease));
            if (random.Next(4) == 0) Branch(cache, lease);
            cache.Publish(lease);
            lease.Dispose();
            switch (random.Next(12))
            {
                case 0: cache.Supersede(FakeSequence.Root, tokens, random.Next(tokens.Length)); break;
                case 1: cache.Erase(FakeSequence.Root, tokens); break;
                case 2: cache.Resize(random.Next(120, 200)); break;
                case 3: cache.Pin(FakeSequence.Root, tokens).Dispose(); break;
                default: break;
            }
        }
    }

    private static void Branch(KvCache cache, BlockLease lease)
    {
        using BlockLease? fork = cache.TryFork(lease);
        if (fork is null || !cache.TryReserve(fork, 3)) return;
        FakeSequence.Write(cache, fork, [900, 901, 902]);
        cache.Append(fork, [900, 901, 902]);
        cache.Truncate(fork, fork.TokenCount / 2);
        Assert.True(FakeSequence.HasRightBytes(cache, fork));
    }

    // A few stems with few continuations each, so that threads meet.
    private static int[] Conversation(Random random)
    {
        int[] tokens = new int[random.Next(8, 60)];
        int stem = random.Next(6);
        for (int i = 0; i < tokens.Length; i++) tokens[i] = i % 10 == 9 ? random.Next(2) : stem;
        return tokens;
    }

    // Leaves the processor while blocks are evicted, so that the other threads come in between.
    private sealed class YieldingRecipient : IBlockRecipient
    {
        public void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
        {
        }

        public void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget)
        {
            byte first = bytes[0];
            Thread.Yield();
            Assert.Equal(first, bytes[0]);
        }
    }
}
