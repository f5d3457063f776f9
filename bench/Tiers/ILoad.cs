namespace KvTiers.Bench.Tiers;

/// <summary>Something that moves blocks for as long as it is told to.</summary>
internal interface ILoad
{
    /// <summary>Moves blocks for about <paramref name="slice"/>.</summary>
    Task RunAsync(TimeSpan slice, Samples samples);
}
