using KvTiers.Diagnostics;

namespace KvTiers.Tests;

/// <summary>100 conversations that begin with the same 500 tokens hold those blocks once.</summary>
public sealed class SharedPrefixTests
{
    private const int Conversations = 100;
    private const int OwnTokens = 12;
    private static readonly int[] Prompt = [.. Enumerable.Range(1000, 500)];
    private static readonly int OwnBlocks = OwnTokens / FakeSequence.Layout.BlockSize;
    private static readonly int PromptBlocks = Prompt.Length / FakeSequence.Layout.BlockSize;

    [Fact]
    public void OneAfterAnother()
    {
        using KvCache cache = FakeSequence.CreateCache(PromptBlocks + Conversations * OwnBlocks);
        List<BlockLease> leases = [];
        for (int i = 0; i < Conversations; i++)
        {
            leases.Add(cache.Run(Tokens(i)));
            Assert.Equal(i == 0 ? 0 : Prompt.Length, leases[i].CachedTokenCount);
        }

        AssertHeldOnce(cache, leases);
    }

    [Fact]
    public void SideBySideInStep()
    {
        // Every one computes the whole prompt; sealing finds the blocks of the one before it.
        using KvCache cache = FakeSequence.CreateCache(PromptBlocks + Conversations * (OwnBlocks + 1));
        BlockLease[] leases = [.. Enumerable.Range(0, Conversations).Select(i => cache.Acquire(FakeSequence.Root, Tokens(i)))];
        for (int start = 0; start < Prompt.Length + OwnTokens; start += 4)
        {
            for (int i = 0; i < Conversations; i++)
                cache.Compute(leases[i], Tokens(i).AsSpan(start, 4));
        }

        AssertHeldOnce(cache, leases);
        Assert.Equal((Conversations - 1) * PromptBlocks, cache.Snapshot().Totals.DuplicateBlocks);
        Assert.True(cache.Snapshot().Nodes <= Conversations + 1, "Sealing in step left the prompt in pieces.");
    }

    [Fact]
    public void FollowersPickUpWhatTheLeaderComputed()
    {
        using KvCache cache = FakeSequence.CreateCache(PromptBlocks + Conversations * OwnBlocks);
        BlockLease[] leases = [.. Enumerable.Range(0, Conversations).Select(i => cache.Acquire(FakeSequence.Root, Tokens(i)))];
        for (int start = 0; start < Prompt.Length; start += 100)
        {
            cache.Compute(leases[0], Prompt.AsSpan(start, 100));
            for (int i = 1; i < Conversations; i++) Assert.Equal(100, cache.Rematch(leases[i], Tokens(i)));
        }

        for (int i = 0; i < Conversations; i++) cache.Compute(leases[i], Tokens(i).AsSpan(Prompt.Length));
        AssertHeldOnce(cache, leases);
        Assert.Equal(0, cache.Snapshot().Totals.DuplicateBlocks);
    }

    private static int[] Tokens(int conversation) => [.. Prompt, .. Enumerable.Range(10_000 + conversation * OwnTokens, OwnTokens)];

    private static void AssertHeldOnce(KvCache cache, IReadOnlyList<BlockLease> leases)
    {
        Assert.Equal(PromptBlocks + Conversations * OwnBlocks, cache.Snapshot().HeldBlocks);
        Assert.Equal(0, cache.Snapshot().PrivateBlocks);
        foreach (BlockLease lease in leases)
        {
            Assert.True(FakeSequence.HasRightBytes(cache, lease));
            Assert.True(lease.Table.Slots[..PromptBlocks].SequenceEqual(leases[0].Table.Slots[..PromptBlocks]));
        }

        CacheIntegrity.Check(cache);
    }
}
