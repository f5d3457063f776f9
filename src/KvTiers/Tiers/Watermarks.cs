namespace KvTiers.Tiers;

/// <summary>Between which fractions of free blocks the hot tier is kept by demoting in the background, so that a request that needs room finds it free.</summary>
/// <remarks>The price: up to <see cref="High"/> of the hot tier stands empty.</remarks>
/// <param name="Low">Fewer free blocks than this fraction of the capacity start demotion. Above 0.</param>
/// <param name="High">As many free blocks as this fraction stop it. Above <paramref name="Low"/>, at most 1.</param>
public readonly record struct Watermarks(double Low, double High)
{
    /// <summary>Whether both are in their ranges.</summary>
    public bool IsValid => Low > 0 && Low < High && High <= 1;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Low} to {High}");
}
