namespace KvTiers.Tiers;

/// <summary>How blocks move between the tiers of a <see cref="TierStack"/>.</summary>
public sealed record TierStackOptions
{
    /// <summary>Hottest first; at most 8.</summary>
    public required IReadOnlyList<TierOptions> Tiers { get; init; }

    /// <summary>Free fraction of the hot tier under which demotion in the background starts; 0 (never) to 0.5. Default 0.05.</summary>
    public double LowWatermark { get; init; } = 0.05;

    /// <summary>Free fraction at which it stops; from <see cref="LowWatermark"/> to 0.9. Default 0.10.</summary>
    public double HighWatermark { get; init; } = 0.10;

    /// <summary>Which blocks are loaded of those that could be. Default by measured rates.</summary>
    public PromotionPolicy Promotion { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Tiers);
        Check(Tiers.Count is >= 1 and <= 8, nameof(Tiers), Tiers.Count, "1 to 8 tiers");
        Check(Tiers.Select(tier => tier.Tier.Name).Distinct().Count() == Tiers.Count, nameof(Tiers), "a list with a name twice", "a list of different names");
        Check(LowWatermark is >= 0 and <= 0.5, nameof(LowWatermark), LowWatermark, "from 0 to 0.5");
        Check(HighWatermark >= LowWatermark && HighWatermark <= 0.9, nameof(HighWatermark), HighWatermark, "from LowWatermark to 0.9");
        Check(Enum.IsDefined(Promotion), nameof(Promotion), Promotion, "ByRate, Always or Never");
        foreach (TierOptions tier in Tiers)
        {
            tier.Validate();
        }
    }

    private static void Check(bool holds, string property, object value, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
        }
    }
}
