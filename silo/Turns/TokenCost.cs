using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Turns;

/// <summary>What tokens cost, in <paramref name="Currency"/>.</summary>
/// <param name="Input">Computed prompt tokens.</param>
/// <param name="CachedInput">Prompt tokens found in the cache.</param>
/// <param name="Output">Generated tokens.</param>
/// <param name="Total">All of them.</param>
/// <param name="Saved">What the cached tokens would have cost more, computed.</param>
/// <param name="Currency">Name of the currency.</param>
internal sealed record TokenCost(double Input, double CachedInput, double Output, double Total, double Saved, string Currency)
{
    private const double Million = 1_000_000;
    private const double CachedShare = 0.1;

    /// <summary>The cost at the given prices.</summary>
    public static TokenCost Of(PriceOptions prices, int computedTokens, int cachedTokens, int completionTokens)
    {
        double cachedPrice = prices.CachedInput ?? (CachedShare * prices.Input);
        double input = computedTokens * prices.Input / Million;
        double cached = cachedTokens * cachedPrice / Million;
        double output = completionTokens * prices.Output / Million;
        double saved = cachedTokens * (prices.Input - cachedPrice) / Million;
        return new TokenCost(input, cached, output, input + cached + output, saved, prices.Currency);
    }
}
