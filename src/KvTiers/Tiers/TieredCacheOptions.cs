namespace KvTiers.Tiers;

/// <summary>The sizes of a <see cref="TieredCache"/>, and how blocks move between its tiers.</summary>
public sealed record TieredCacheOptions
{
    /// <summary>The hot tier.</summary>
    public KvCacheOptions Hot { get; init; } = new();

    /// <summary>The colder tiers, hottest first; at most 8. None, the default: evicted blocks are forgotten.</summary>
    public IReadOnlyList<TierOptions> Tiers { get; init; } = [];

    /// <summary>Which of the blocks that colder tiers have are loaded. Default by measured rates.</summary>
    public PromotionPolicy Promotion { get; init; }

    /// <summary>When blocks are demoted ahead of need; null to demote only when a request needs the room.</summary>
    public Watermarks? Watermarks { get; init; }

    /// <summary>Bytes that one tenant's blocks may take up over all tiers together, the hot one included; 1 or more. Null, the default: as much as there is.</summary>
    public long? TenantBudgetBytes { get; init; }

    /// <summary>
    /// The same for a tenant by its name, as <see cref="TieredCache.Assign"/> gives it: all its namespaces together; null = as <see cref="TenantBudgetBytes"/> has it. Asked each
    /// time that the tenant has gained a block, on any thread, and not to throw. Null, the default: no tenant has a budget of its own.
    /// </summary>
    public Func<string, long?>? TenantBudgetOf { get; init; }

    internal bool HasBudgets => TenantBudgetBytes is not null || TenantBudgetOf is not null;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Hot);
        ArgumentNullException.ThrowIfNull(Tiers);
        Check(Tiers.Count <= 8, nameof(Tiers), Tiers.Count, "at most 8 tiers");
        Check(TenantBudgetBytes is null or >= 1, nameof(TenantBudgetBytes), TenantBudgetBytes, "1 or more");
        Check(Tiers.Select(tier => tier.Name).Distinct().Count() == Tiers.Count, nameof(Tiers), "a list with a name twice", "a list of different names");
        Check(Enum.IsDefined(Promotion), nameof(Promotion), Promotion, "ByRate, Always or Never");
        Check(Watermarks is not { IsValid: false }, nameof(Watermarks), Watermarks, "0 < low < high ≤ 1");
        foreach (TierOptions tier in Tiers)
            tier.Validate();
    }

    private static void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
