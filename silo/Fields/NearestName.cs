namespace KvTiers.Silo.Fields;

/// <summary>Finds the name that was meant.</summary>
/// <remarks>The distance counts letters inserted, removed, exchanged for another, and swapped with the next (optimal string alignment); a third of the name may be wrong, and at least one letter.</remarks>
internal static class NearestName
{
    private const int LongestName = 64;

    /// <summary>The name that is nearest to <paramref name="given"/>, the first among equals; null = none is near.</summary>
    public static string? Of(string given, IEnumerable<string> names)
    {
        if (given.Length > LongestName) return null;
        string plain = Plain(given);
        string? nearest = null;
        int least = Math.Max(1, given.Length / 3) + 1;
        foreach (string name in names)
        {
            int distance = Distance(plain, Plain(name));
            if (distance >= least) continue;
            least = distance;
            nearest = name;
        }

        return nearest;
    }

    // maxTokens and max-tokens are max_tokens, spelt another way.
    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    private static int Distance(string a, string b)
    {
        int[,] distances = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) distances[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) distances[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int exchanged = distances[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                distances[i, j] = Math.Min(exchanged, Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) distances[i, j] = Math.Min(distances[i, j], distances[i - 2, j - 2] + 1);
            }
        }

        return distances[a.Length, b.Length];
    }
}
