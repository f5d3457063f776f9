using System.Diagnostics.Metrics;
using System.Text.Json;

namespace KvTiers.Tiers;

/// <summary>The meter <c>KvTiers.Tiers</c>: reads the tiers' counters when it is collected, so that counting costs the tiers nothing more.</summary>
/// <remarks>The label <c>tier</c> names the tier; <c>kind</c> is a <see cref="TierMiss"/> in snake case.</remarks>
internal sealed class TierInstruments : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "KvTiers.Tiers";

    private static readonly (TierMiss Miss, string Kind)[] Kinds =
        [.. Enum.GetValues<TierMiss>().Select(miss => (miss, JsonNamingPolicy.SnakeCaseLower.ConvertName(miss.ToString())))];

    private readonly TieredCache _cache;

    internal TierInstruments(TieredCache cache)
    {
        _cache = cache;
        Count("kvtiers.tier.hits", "{block}", "Reads that gave a sound block.", usage => usage.Hits);
        Meter.CreateObservableCounter("kvtiers.tier.misses", Misses, "{call}", "Calls that came to nothing, by kind: the block was absent, its record was no good, or the store failed.");
        Count("kvtiers.tier.writes", "{block}", "Blocks that the tier took.", usage => usage.Writes);
        Count("kvtiers.tier.refusals", "{block}", "Blocks that the tier did not take for want of room.", usage => usage.Refusals);
        Count("kvtiers.tier.dropped_blocks", "{block}", "Blocks given up because the queue to the tier stayed full.", usage => usage.DroppedBlocks);
        Count("kvtiers.tier.evicted_blocks", "{block}", "Blocks forgotten to make room.", usage => usage.EvictedBlocks);
        Count("kvtiers.tier.read", "By", "Bytes of blocks read, as stored.", usage => usage.ReadBytes);
        Count("kvtiers.tier.written", "By", "Bytes of blocks written, as stored.", usage => usage.WrittenBytes);
        Count("kvtiers.tier.promoted_tokens", "{token}", "Tokens whose blocks were loaded from the tier into the hot one.", usage => usage.PromotedTokens);
        Gauge("kvtiers.tier.capacity", "By", "Room for blocks.", usage => usage.CapacityBytes);
        Gauge("kvtiers.tier.used", "By", "Room taken.", usage => usage.UsedBytes);
        Gauge("kvtiers.tier.blocks", "{block}", "Blocks held.", usage => usage.Blocks);
        Gauge("kvtiers.tier.queued_blocks", "{block}", "Blocks that wait to be written.", usage => usage.QueuedBlocks);
        Gauge("kvtiers.tier.degraded", "{tier}", "1 while the tier is left alone because it failed too often, else 0.", usage => usage.IsDegraded ? 1 : 0);
        Meter.CreateObservableGauge("kvtiers.tier.latency", () => Rates(rate => rate.LatencySeconds), "s", "Time to the first byte, as a moving average.");
        Meter.CreateObservableGauge("kvtiers.tier.bandwidth", () => Rates(rate => rate.BytesPerSecond), "By/s", "Speed after the first byte, as a moving average.");
        Meter.CreateObservableCounter("kvtiers.tier.load", () => Rates(rate => rate.Loads.Seconds), "s", "What loads took.");
        Meter.CreateObservableCounter("kvtiers.tier.load_predicted", () => Rates(rate => rate.Loads.Predicted), "s", "What was predicted that they would take.");
        Meter.CreateObservableCounter("kvtiers.budget.evicted", () => cache.BudgetEvictedBytes, "By", "Bytes evicted from all tiers because a tenant was over its budget.");
        Meter.CreateObservableCounter("kvtiers.promotion.found_blocks", () => cache.Promotions.FoundBlocks, "{block}", "Blocks that colder tiers had after what was hot.");
        Meter.CreateObservableCounter("kvtiers.promotion.planned_blocks", () => cache.Promotions.PlannedBlocks, "{block}", "Found blocks that were worth loading.");
        Meter.CreateObservableCounter("kvtiers.promotion.loaded_blocks", () => cache.Promotions.LoadedBlocks, "{block}", "Blocks that arrived in the hot tier.");
    }

    public Meter Meter { get; } = new(MeterName);

    /// <summary>Withdraws the instruments.</summary>
    public void Dispose() => Meter.Dispose();

    private void Count(string name, string unit, string description, Func<TierUsage, long> read) =>
        Meter.CreateObservableCounter(name, () => _cache.Usage.Select(usage => Of(usage.Name, read(usage))), unit, description);

    private void Gauge(string name, string unit, string description, Func<TierUsage, long> read) =>
        Meter.CreateObservableGauge(name, () => _cache.Usage.Select(usage => Of(usage.Name, read(usage))), unit, description);

    private IEnumerable<Measurement<double>> Rates(Func<TransferRate, double> read) =>
        _cache.Names.Select(name => new Measurement<double>(read(_cache.RateOf(name)), new KeyValuePair<string, object?>("tier", name)));

    private IEnumerable<Measurement<long>> Misses() =>
        from usage in _cache.Usage
        from kind in Kinds
        select new Measurement<long>(
            usage.Misses.GetValueOrDefault(kind.Miss),
            new KeyValuePair<string, object?>("tier", usage.Name),
            new KeyValuePair<string, object?>("kind", kind.Kind));

    private static Measurement<long> Of(string tier, long value) => new(value, new KeyValuePair<string, object?>("tier", tier));
}
