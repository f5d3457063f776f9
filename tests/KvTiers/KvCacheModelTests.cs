using System.Globalization;
using KvTiers.Diagnostics;

namespace KvTiers.Tests;

/// <summary>Random operations on a small cache beside a plain dictionary of the prefixes it should hold.</summary>
public sealed class KvCacheModelTests(ITestOutputHelper output)
{
    private const int Operations = 120_000;
    private const int DefaultSeed = 20260101;

    [Fact]
    public void RandomOperationsAgreeWithADictionaryOfPrefixes()
    {
        string? text = Environment.GetEnvironmentVariable("KVTIERS_TEST_SEED");
        int seed = text is null ? DefaultSeed : int.Parse(text, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed} (KVTIERS_TEST_SEED overrides it)");

        using KvCacheModel model = new(new Random(seed));
        for (int i = 1; i <= Operations; i++)
        {
            model.Step();
            if (i % 200 == 0) CacheIntegrity.Check(model.Cache);
        }

        CacheTotals totals = model.Cache.Snapshot().Totals;
        output.WriteLine($"{totals}");
        output.WriteLine($"{model.Coverage}");
        Assert.True(totals.HitTokens > 10_000);
        Assert.True(totals.DuplicateBlocks > 500);
        Assert.True(totals.PublishedBlocks > 500);
        Assert.True(totals.CopiedBlocks > 500);
        Assert.True(totals.SupersededBlocks > 300);
        Assert.True(totals.EvictedSupersededBlocks > 100);
        Assert.True(totals.EvictedExpiredBlocks > 50);
        Assert.True(totals.EvictedLiveBlocks > 1_000);
        Assert.True(totals.ErasedBlocks > 100);
        Assert.True(totals.Forks > 500);
        Assert.True(totals.RefusedReservations > 50);
        Assert.True(model.Coverage.Splits > 500);
        Assert.True(model.Coverage.PartialHits > 500);
        Assert.True(model.Coverage.TruncationsIntoSharedBlocks > 100);
        Assert.True(model.Coverage.Extensions > 100);
        Assert.True(model.Coverage.Shrinks > 20);
        Assert.True(model.Coverage.ExactLookups > 3 * model.Coverage.VagueLookups);
    }
}
