namespace KvTiers.Silo.Configuration;

/// <summary>What a million tokens cost. Answers carry the cost at these prices.</summary>
internal sealed record PriceOptions
{
    /// <summary>Price of a million computed prompt tokens; at least 0.</summary>
    public double Input { get; init; }

    /// <summary>Price of a million prompt tokens found in the cache; at least 0. Unset: a tenth of <see cref="Input"/>.</summary>
    public double? CachedInput { get; init; }

    /// <summary>Price of a million generated tokens; at least 0.</summary>
    public double Output { get; init; }

    /// <summary>True when anything costs anything.</summary>
    public bool AreSet => Input > 0 || CachedInput > 0 || Output > 0;

    /// <summary>Name of the currency, as shown beside a cost.</summary>
    public string Currency { get; init; } = "USD";
}
