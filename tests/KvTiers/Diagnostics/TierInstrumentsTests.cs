using System.Diagnostics.Metrics;
using KvTiers.Tests.Tiers;
using KvTiers.Tiers;

namespace KvTiers.Tests.Diagnostics;

public sealed class TierInstrumentsTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private TieredCache? _tiers;

    private KvCache Cache => _tiers!.Cache;

    [Fact]
    public async Task EveryFaultOfAFlakyTierIsCountedByItsKind()
    {
        var flaky = new FlakyStore(new RamStore(TestBlocks.Format.RecordBytes, 64L * TestBlocks.Format.RecordBytes, _time), seed: 3);
        Open(TierOptions.Over("flaky", flaky) with { InPlace = false, WritePolicy = WritePolicy.OnSeal, Exclusive = false });
        for (int round = 0; round < 40; round++)
        {
            for (int prompt = 0; prompt < 8; prompt++)
            {
                await RunAsync(prompt);
                await _tiers!.DrainAsync(CancellationToken.None); // the flaky store takes one call at a time
            }

            Assert.True(Cache.EvictAhead(16, 16) > 0);
        }

        Assert.All(new[] { flaky.Flipped, flaky.Cut, flaky.ReadErrors, flaky.WriteErrors, flaky.Timeouts }, count => Assert.True(count > 0));
        Dictionary<string, double> seen = Collect();
        Assert.Equal(flaky.Flipped + flaky.Cut, seen["kvtiers.tier.misses tier=flaky kind=corrupt"]);
        Assert.Equal(flaky.ReadErrors, seen["kvtiers.tier.misses tier=flaky kind=read_error"]);
        Assert.Equal(flaky.WriteErrors, seen["kvtiers.tier.misses tier=flaky kind=write_error"]);
        Assert.Equal(flaky.Timeouts, seen["kvtiers.tier.misses tier=flaky kind=deadline"]);
        Assert.Equal(0, seen["kvtiers.tier.misses tier=flaky kind=other_layout"]);
    }

    [Fact]
    public async Task TheMeterReportsWhatTheTiersAndThePlannerDid()
    {
        int recordBytes = TestBlocks.Format.RecordBytes;
        Open(TierOptions.Over("ram", new RamStore(recordBytes, 3L * recordBytes, _time)));
        for (int prompt = 0; prompt < 4; prompt++) await RunAsync(prompt);
        Assert.Equal(4, Cache.EvictAhead(16, 16)); // the tier has room for three
        PromotionResult promoted = await RunAsync(3);
        Assert.Equal(1, promoted.LoadedBlocks);

        Dictionary<string, double> seen = Collect();
        Assert.Equal(4, seen["kvtiers.tier.writes tier=ram"]);
        Assert.Equal(4 * recordBytes, seen["kvtiers.tier.written tier=ram"]);
        Assert.Equal(1, seen["kvtiers.tier.evicted_blocks tier=ram"]);
        Assert.Equal(1, seen["kvtiers.tier.hits tier=ram"]);
        Assert.Equal(recordBytes, seen["kvtiers.tier.read tier=ram"]);
        Assert.Equal(16, seen["kvtiers.tier.promoted_tokens tier=ram"]);
        Assert.Equal(2 * recordBytes, seen["kvtiers.tier.used tier=ram"]);
        Assert.Equal(3 * recordBytes, seen["kvtiers.tier.capacity tier=ram"]);
        Assert.Equal((1, 1, 1), (seen["kvtiers.promotion.found_blocks"], seen["kvtiers.promotion.planned_blocks"], seen["kvtiers.promotion.loaded_blocks"]));
        Assert.Equal((0, 0, 0), (seen["kvtiers.tier.queued_blocks tier=ram"], seen["kvtiers.tier.dropped_blocks tier=ram"], seen["kvtiers.tier.degraded tier=ram"]));
    }

    [Fact]
    public async Task BlocksThatAFullQueueGivesUpAreCounted()
    {
        var gated = new CountedStore(new RamStore(TestBlocks.Format.RecordBytes, 64L * TestBlocks.Format.RecordBytes, _time));
        gated.Close();
        Open(TestTiers.Queued("slow", gated) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false, WriteQueueBlocks = 2 });
        for (int prompt = 0; prompt < 5; prompt++) await RunAsync(prompt);
        Dictionary<string, double> seen = Collect();
        Assert.Equal((2, 3), (seen["kvtiers.tier.queued_blocks tier=slow"], seen["kvtiers.tier.dropped_blocks tier=slow"]));
        gated.Open();
        await _tiers!.DrainAsync(CancellationToken.None);
        Assert.Equal(0, Collect()["kvtiers.tier.queued_blocks tier=slow"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null) await _tiers.DisposeAsync();
    }

    private void Open(TierOptions tier) => _tiers = TestTiers.Open(
        new TieredCacheOptions { Hot = TestTiers.Hot(16), Tiers = [tier], Promotion = PromotionPolicy.Always }, _time, TestBlocks.Layout);

    /// <summary>One block of tokens: found hot, loaded, or computed.</summary>
    private async Task<PromotionResult> RunAsync(int prompt)
    {
        int[] tokens = [.. Enumerable.Range(prompt * 100, TestBlocks.Layout.BlockSize)];
        using BlockLease lease = Cache.Acquire(TestBlocks.Hash(0), tokens);
        PromotionResult promoted = await _tiers!.PromoteAsync(lease, tokens, CancellationToken.None);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        if (lease.TokenCount == 0) Cache.Pool.Bytes(lease.Table.Slots[0]).Fill((byte)(prompt + 1));
        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
        return promoted;
    }

    private Dictionary<string, double> Collect()
    {
        Dictionary<string, double> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, _tiers!.Meter)) self.EnableMeasurementEvents(instrument);
        };
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen.Add(instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}")), value);
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }
}
