using System.Globalization;

namespace KvTiers.Cli.Replay;

/// <summary>Capacities as the command line writes them: <c>1000,3000,unbounded</c>.</summary>
internal static class CapacityList
{
    public const string Unbounded = "unbounded";

    /// <returns>Blocks of each capacity, <see langword="null"/> for unbounded; nothing at all when the text is none.</returns>
    public static IReadOnlyList<int?>? TryParse(string text)
    {
        List<int?> capacities = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part == Unbounded)
                capacities.Add(null);
            else if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int blocks) && blocks > 0)
                capacities.Add(blocks);
            else
                return null;
        }

        return capacities;
    }
}
