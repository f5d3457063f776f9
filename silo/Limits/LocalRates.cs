namespace KvTiers.Silo.Limits;

/// <summary>Limits of this server alone.</summary>
internal sealed class LocalRates(TimeProvider time) : IRates
{
    private readonly RateBuckets _buckets = new(time);

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> TryTakeAsync(string name, RateRule rule, CancellationToken cancellationToken) =>
        ValueTask.FromResult<TimeSpan?>(_buckets.Of(name, rule).TryTake(1, out TimeSpan retryAfter) ? null : retryAfter);

    /// <inheritdoc/>
    public void Charge(string name, RateRule rule, double amount) => _buckets.Of(name, rule).Charge(amount);

    /// <inheritdoc/>
    public RateState StateOf(string name, RateRule rule) => _buckets.Of(name, rule).State;
}
