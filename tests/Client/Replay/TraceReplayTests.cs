using KvTiers.Cli.Replay;

namespace KvTiers.Cli.Tests.Replay;

public sealed class TraceReplayTests
{
    /// <summary>DESIGN 10.4: exclusive tiers together hit what one cache of their capacities' sum hits.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task TiersObeyTheInclusionLaw(int seed)
    {
        var random = new Random(seed);
        Trace trace = Conversations(random, requests: 600, longest: 100);
        int?[] tiers = [100 + random.Next(50), 1 + random.Next(200), 1 + random.Next(400), 1 + random.Next(800)];

        IReadOnlyList<CapacityHits> hits = await TraceReplay.CountHitsAsync(trace, tiers, () => { }, CancellationToken.None);

        for (int count = 1; count <= tiers.Length; count++)
        {
            int? capacity = tiers[..count].Sum();
            IReadOnlyList<CapacityHits> one = await TraceReplay.CountHitsAsync(trace, [capacity], () => { }, CancellationToken.None);
            Assert.Equal(one[0].Hits, hits.Take(count).Sum(tier => tier.Hits));
        }

        Assert.All(hits, tier => Assert.True(tier.Hits > 0));
    }

    // Each request branches off an earlier one and goes on with blocks of its own.
    private static Trace Conversations(Random random, int requests, int longest)
    {
        List<int[]> all = [[0]];
        int blocks = 1;
        while (all.Count < requests)
        {
            int[] earlier = all[random.Next(Math.Max(0, all.Count - 60), all.Count)];
            int kept = random.Next(earlier.Length + 1);
            int added = random.Next(1, 30);
            if (kept + added > longest)
                continue;
            all.Add([.. earlier[..kept], .. Enumerable.Range(blocks, added)]);
            blocks += added;
        }

        return new Trace(all, all.Sum(request => request.Length), blocks);
    }
}
