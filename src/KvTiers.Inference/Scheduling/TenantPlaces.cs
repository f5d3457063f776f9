namespace KvTiers.Inference.Scheduling;

/// <summary>Shares a number of places between tenants, so that one that takes all it can get leaves room for the others at once.</summary>
/// <remarks>
/// After each taking, a tenant of weight w has at most 2w times the places that are then still free. Alone, with weight 1, it gets two thirds of all; n such
/// tenants that all want more get 2 / (2n + 1) each, and a share as large as half of theirs is always free for the next. Nobody is made to give a place back: who
/// has more than its share gets nothing further until it has given enough. A tenant that has none gets one as long as one is free. The rule is that of dynamic
/// thresholds for shared buffers (Choudhury and Hahne, 1998). Thread-safe.
/// </remarks>
public sealed class TenantPlaces
{
    // Places that a tenant of weight 1 may have for each that stays free.
    private const double SharePerFree = 2;
    private const double Rounding = 1e-9;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Dictionary<string, PlaceHolding> _tenants = new(StringComparer.Ordinal);
    private readonly PlaceHolding _all;

    /// <summary>All places free.</summary>
    /// <param name="capacity">How many; 1 or more.</param>
    /// <param name="time">The clock by which waits are estimated; the system's by default.</param>
    public TenantPlaces(int capacity, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Capacity = capacity;
        _time = time ?? TimeProvider.System;
        _all = new PlaceHolding(_time);
    }

    /// <summary>Places in all.</summary>
    public int Capacity { get; }

    /// <summary>Places taken now.</summary>
    public int Taken
    {
        get
        {
            lock (_gate)
                return _all.Count;
        }
    }

    /// <summary>Places that a tenant has now.</summary>
    public int HeldBy(string tenant)
    {
        lock (_gate)
            return _tenants.TryGetValue(tenant, out PlaceHolding? held) ? held.Count : 0;
    }

    /// <summary>Places that each tenant has now, of those that have any.</summary>
    public IReadOnlyDictionary<string, int> ByTenant()
    {
        lock (_gate)
            return _tenants.ToDictionary(static pair => pair.Key, static pair => pair.Value.Count, StringComparer.Ordinal);
    }

    /// <summary>The most places that one tenant can ever have at one time. What needs more never gets in.</summary>
    /// <param name="weight">Its share beside a tenant of weight 1, above 0. Infinite: it shares with nobody, and may have all.</param>
    public int MostFor(double weight)
    {
        double share = SharePerFree * weight;
        return double.IsPositiveInfinity(share) ? Capacity : Math.Max(1, (int)((Capacity * share / (1 + share)) + Rounding));
    }

    /// <summary>Takes places, all or none.</summary>
    /// <param name="tenant">For whom.</param>
    /// <param name="weight">Its share beside a tenant of weight 1, above 0; infinite: see <see cref="MostFor"/>.</param>
    /// <param name="count">How many; 1 or more.</param>
    /// <param name="retryAfter">When refused: how long it takes, at the rate at which places were given back of late, until there are so many for this tenant.</param>
    /// <param name="most">What the tenant may have at one time, whatever its share is.</param>
    /// <returns>False when they would be more than its share or <paramref name="most"/>, or more than are free.</returns>
    public bool TryTake(string tenant, double weight, int count, out TimeSpan retryAfter, int most = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        lock (_gate)
        {
            _tenants.TryGetValue(tenant, out PlaceHolding? held);
            double share = SharePerFree * weight;
            int has = held?.Count ?? 0;
            int free = Capacity - _all.Count;
            bool isFirst = has == 0 && count == 1;
            if (count <= free && count <= most - has && (isFirst || double.IsPositiveInfinity(share) || has + count <= (share * (free - count)) + Rounding))
            {
                if (held is null)
                    _tenants.Add(tenant, held = new PlaceHolding(_time));
                held.Take(count);
                _all.Take(count);
                retryAfter = TimeSpan.Zero;
                return true;
            }

            // One place that it gives back counts twice: it has one less, and one more is free.
            int own = double.IsPositiveInfinity(share) ? 0 : (int)Math.Ceiling((has + count - (share * (free - count))) / (1 + share));
            own = Math.Max(own, count - (most - has));
            retryAfter = held is not null && own >= count - free && own <= has ? held.TimeToGive(own) : _all.TimeToGive(Math.Max(own, count - free));
            return false;
        }
    }

    /// <summary>Gives places back.</summary>
    /// <exception cref="ArgumentException">The tenant does not have so many.</exception>
    public void Give(string tenant, int count)
    {
        lock (_gate)
        {
            if (!_tenants.TryGetValue(tenant, out PlaceHolding? held) || held.Count < count)
                throw new ArgumentException($"The tenant '{tenant}' has {held?.Count ?? 0} places; it gives {count} back.", nameof(count));
            held.Give(count);
            _all.Give(count);
            if (held.Count == 0)
                _tenants.Remove(tenant);
        }
    }
}
