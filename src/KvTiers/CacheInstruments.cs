using System.Diagnostics.Metrics;

namespace KvTiers;

/// <summary>The meter <c>KvTiers</c>: reads a cache's snapshot when it is collected, so that counting costs the cache nothing more.</summary>
internal sealed class CacheInstruments : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "KvTiers";

    private readonly KvCache _cache;

    internal CacheInstruments(KvCache cache)
    {
        _cache = cache;
        Count("kvtiers.cache.hit_tokens", "{token}", "Prompt tokens found in the hot tier.", totals => totals.HitTokens);
        Count("kvtiers.cache.missed_tokens", "{token}", "Prompt tokens not found in the hot tier.", totals => totals.MissedTokens);
        Count("kvtiers.cache.sealed_blocks", "{block}", "Full blocks that became matchable.", totals => totals.SealedBlocks);
        Count("kvtiers.cache.duplicate_blocks", "{block}", "Blocks freed because an identical one stood already.", totals => totals.DuplicateBlocks);
        Count("kvtiers.cache.published_blocks", "{block}", "Partial last blocks made matchable.", totals => totals.PublishedBlocks);
        Count("kvtiers.cache.copied_blocks", "{block}", "Shared blocks copied on write.", totals => totals.CopiedBlocks);
        Count("kvtiers.cache.superseded_blocks", "{block}", "Blocks that edits cut from their conversation.", totals => totals.SupersededBlocks);
        Count("kvtiers.cache.erased_blocks", "{block}", "Blocks erased on purpose.", totals => totals.ErasedBlocks);
        Count("kvtiers.cache.forks", "{lease}", "Leases forked.", totals => totals.Forks);
        Count("kvtiers.cache.refused_reservations", "{reservation}", "Reservations refused for want of blocks.", totals => totals.RefusedReservations);
        Meter.CreateObservableCounter("kvtiers.cache.evicted_blocks", Evictions, "{block}", "Blocks evicted, by cause.");
        Meter.CreateObservableGauge("kvtiers.cache.blocks", Blocks, "{block}", "Hot blocks, by state.");
        Gauge("kvtiers.cache.capacity_blocks", "{block}", "Hot blocks in service.", snapshot => snapshot.CapacityBlocks);
        Gauge("kvtiers.cache.capacity_bytes", "By", "Bytes of the hot blocks in service.", snapshot => (long)snapshot.CapacityBlocks * snapshot.BytesPerBlock);
        Gauge("kvtiers.cache.hot_superseded_blocks", "{block}", "Hot blocks with the superseded mark.", snapshot => snapshot.SupersededBlocks);
        Gauge("kvtiers.cache.leases", "{lease}", "Live leases.", snapshot => snapshot.Leases);
        Gauge("kvtiers.cache.pins", "{pin}", "Active pins.", snapshot => snapshot.Pins);
        Gauge("kvtiers.cache.nodes", "{node}", "Nodes of the radix tree.", snapshot => snapshot.Nodes);
    }

    public Meter Meter { get; } = new(MeterName);

    /// <summary>Withdraws the instruments.</summary>
    public void Dispose() => Meter.Dispose();

    private void Count(string name, string unit, string description, Func<CacheTotals, long> read) =>
        Meter.CreateObservableCounter(name, () => read(_cache.Snapshot().Totals), unit, description);

    private void Gauge(string name, string unit, string description, Func<CacheSnapshot, long> read) =>
        Meter.CreateObservableGauge(name, () => read(_cache.Snapshot()), unit, description);

    private IEnumerable<Measurement<long>> Evictions()
    {
        CacheTotals totals = _cache.Snapshot().Totals;
        yield return Of(totals.EvictedSupersededBlocks, "cause", "superseded");
        yield return Of(totals.EvictedExpiredBlocks, "cause", "expired");
        yield return Of(totals.EvictedLiveBlocks, "cause", "least_recently_used");
    }

    private IEnumerable<Measurement<long>> Blocks()
    {
        CacheSnapshot snapshot = _cache.Snapshot();
        yield return Of(snapshot.FreeBlocks, "state", "free");
        yield return Of(snapshot.PrivateBlocks, "state", "private");
        yield return Of(snapshot.HeldBlocks, "state", "held");
        yield return Of(snapshot.EvictableBlocks, "state", "evictable");
        yield return Of(snapshot.PendingFreeBlocks, "state", "pending_free");
    }

    private static Measurement<long> Of(long value, string key, string tag) => new(value, new KeyValuePair<string, object?>(key, tag));
}
