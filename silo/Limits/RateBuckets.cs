using System.Collections.Concurrent;

namespace KvTiers.Silo.Limits;

/// <summary>One bucket for each name, made anew when its rule changes.</summary>
internal sealed class RateBuckets(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, RateBucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>The bucket of a name under a rule.</summary>
    public RateBucket Of(string name, RateRule rule) => _buckets.AddOrUpdate(
        name,
        static (_, state) => new RateBucket(state.rule, state.time),
        static (_, bucket, state) => bucket.Rule == state.rule ? bucket : new RateBucket(state.rule, state.time),
        (rule, time));
}
