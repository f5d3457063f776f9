namespace KvTiers.Orleans.Placement;

/// <summary>Chooses a silo: the longest run among those that are not full.</summary>
/// <remarks>
/// A silo is full at (1 + slack) times the mean load, rounded up, the new conversation counted: consistent hashing with bounded loads (Mirrokni, Thorup and
/// Zadimoghaddam, 2018), with the run in the place of the hash. Where runs are equal, rendezvous hashing of the first block decides (Thaler and
/// Ravishankar, 1998), so that all silos send equal beginnings to the same one before anything is known of it.
/// </remarks>
internal static class PlacementChoice
{
    /// <summary>The index of the chosen silo.</summary>
    /// <param name="silos">At least one.</param>
    /// <param name="slack">Share above the mean load that a silo may have, not negative.</param>
    public static int Choose(ReadOnlySpan<SiloStanding> silos, double slack)
    {
        long total = 1;
        foreach (SiloStanding silo in silos)
            total += silo.Load;
        double limit = Math.Ceiling((1 + slack) * total / silos.Length);
        int best = -1;
        for (int i = 0; i < silos.Length; i++)
        {
            if (silos[i].Load + 1 <= limit && (best < 0 || Precedes(silos[i], silos[best])))
                best = i;
        }

        return best;
    }

    private static bool Precedes(SiloStanding one, SiloStanding other) => one.Run != other.Run ? one.Run > other.Run : one.Rank > other.Rank;
}
